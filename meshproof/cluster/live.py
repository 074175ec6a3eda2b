"""Is a change live? The sidecars' own word, by a mark that is applied behind it.

istiod tells what it sent and what was acknowledged, but not whether it has read the change yet. So
every change ends with a *mark*: a ServiceEntry, a DestinationRule and a VirtualService with a new
name inside (``assets/mark.yaml``). istiod reads each kind in order, and a push carries all that it
has read, so a sidecar whose configuration shows the mark has everything of those kinds before it.
Endpoints are asked for apart, because pods come by another way: the sidecar's hosts of a Service
must be those that Kubernetes calls ready.

A gateway shows the mark in its clusters only: no VirtualService of its own carries it. Its routes
come with the push that the sidecars confirm.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from meshproof.cluster.assets import asset
from meshproof.cluster.kubectl import Json, Kubectl
from meshproof.cluster.pods import Pod
from meshproof.errors import NotLive
from meshproof.istio_names import ClusterName, outbound_cluster, service_host
from meshproof.mesh import Ack

MARK_HOST = "mark.meshproof.invalid"
MARK_PORT = 15999
_DUMP = f"config_dump?name_regex=.*{MARK_PORT}.*"
_CLUSTERS = "clusters?format=json"
WITHIN = 60.0
"""Seconds that a sidecar gets to show a mark."""
_EVERY = 0.2


def new_mark() -> str:
    return f"m{secrets.token_hex(4)}"


def mark_documents(mark: str) -> str:
    """YAML to apply behind a change."""
    return asset("mark.yaml", {"MARK": mark})


@dataclass(frozen=True, slots=True)
class Shown:
    """What of a mark an Envoy's configuration holds."""

    cluster: bool
    """The ServiceEntry with the DestinationRule's subset: warm, not warming."""
    route: bool
    """The VirtualService."""

    @property
    def missing(self) -> str:
        names = {"ServiceEntry and DestinationRule": self.cluster, "VirtualService": self.route}
        return " and ".join(name for name, there in names.items() if not there)


def shown(dump: Json, mark: str) -> Shown:
    """Reads Envoy's ``config_dump?name_regex=``: sections, or with a ``resource`` bare entries."""
    wanted = outbound_cluster(MARK_PORT, f"{mark}.{MARK_HOST}", mark)
    cluster = route = False
    for section in dump.get("configs", ()):
        entries = [*section.get("dynamic_active_clusters", ()), section]
        cluster = cluster or any(e.get("cluster", {}).get("name") == wanted for e in entries)
        for entry in (*section.get("dynamic_route_configs", ()), section):
            for host in entry.get("route_config", {}).get("virtual_hosts", ()):
                route = route or any(r.get("name") == mark for r in host.get("routes", ()))
    return Shown(cluster, route)


def hosts(clusters: Json) -> dict[str, set[str]]:
    """Cluster -> addresses, of Envoy's ``clusters?format=json``."""
    return {
        c["name"]: {
            h["address"]["socket_address"]["address"]
            for h in c.get("host_statuses", ())
            if "socket_address" in h["address"]
        }
        for c in clusters.get("cluster_statuses", ())
    }


def ready_addresses(slices: Iterable[Json]) -> dict[str, set[str]]:
    """``svcb.payments.svc.cluster.local`` -> the addresses that its EndpointSlices call ready."""
    found: dict[str, set[str]] = {}
    for one in slices:
        metadata = one["metadata"]
        service = (metadata.get("labels") or {}).get("kubernetes.io/service-name", "")
        addresses = found.setdefault(service_host(service, metadata["namespace"]), set())
        for endpoint in one.get("endpoints") or ():
            if endpoint.get("conditions", {}).get("ready", True):
                addresses.update(endpoint["addresses"])
    return found


def stale_service(known: Mapping[str, set[str]], wanted: Mapping[str, set[str]]) -> str:
    """The first Service whose hosts a sidecar knows otherwise; empty for none.

    A Service that a sidecar has no cluster of is none of its business.
    """
    for name, addresses in known.items():
        cluster = ClusterName.parse(name)
        if cluster is None or cluster.direction != "outbound" or cluster.subset:
            continue
        host = cluster.host
        if wanted.get(host, addresses) != addresses:
            return f"{host} is {sorted(addresses)}, wanted {sorted(wanted[host])}"
    return ""


class Live:
    """Asks sidecars until all of them show a mark."""

    def __init__(self, kubectl: Kubectl, *, at_once: int = 4) -> None:
        self._kubectl = kubectl
        self._at_once = at_once
        self._within = WITHIN

    def wait(
        self, mark: str, sidecars: Sequence[Pod], wanted: Mapping[str, set[str]], started: float
    ) -> list[Ack]:
        """An Ack of every sidecar; ``wanted`` is empty where no endpoint can have changed.

        ``started`` is ``time.monotonic()`` of the change's begin. Raises NotLive.
        """
        with ThreadPoolExecutor(self._at_once) as pool:
            return list(pool.map(lambda pod: self._ack(pod, mark, wanted, started), sidecars))

    def _ack(self, pod: Pod, mark: str, wanted: Mapping[str, set[str]], started: float) -> Ack:
        deadline = time.monotonic() + self._within
        while reason := self._reason(pod, mark, wanted):
            if time.monotonic() >= deadline:
                raise NotLive(
                    f"the sidecar of {pod.namespace}/{pod.name} does not have the change after "
                    f"{self._within:g} s; last: {reason}"
                )
            time.sleep(_EVERY)
        return Ack(f"{pod.namespace}/{pod.name}", mark, time.monotonic() - started)

    def _reason(self, pod: Pod, mark: str, wanted: Mapping[str, set[str]]) -> str:
        found = shown(json.loads(self._kubectl.admin(pod.namespace, pod.name, _DUMP)), mark)
        if not found.cluster or not (found.route or pod.gateway):
            return f"it does not show the mark's {found.missing} yet"
        if not wanted:
            return ""
        clusters = json.loads(self._kubectl.admin(pod.namespace, pod.name, _CLUSTERS))
        stale = stale_service(hosts(clusters), wanted)
        return f"of the endpoints it knows, {stale}" if stale else ""
