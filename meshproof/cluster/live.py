"""Whether a change is live, from the sidecars' own configuration: a *mark* is applied behind it.

istiod reports what it sent and what was acknowledged, but not whether it has read the change yet.
So every change ends with a mark: a ServiceEntry, a DestinationRule and a VirtualService with a new
name in them (``assets/mark.yaml``). istiod reads each kind in order, and a push carries everything
read so far. So a sidecar whose configuration shows the mark has every earlier change of those
kinds. Endpoints are checked separately, because pods reach istiod by another watch: a sidecar's
endpoints of a Service must be those that Kubernetes reports as ready.

A gateway shows the mark in its clusters only: no VirtualService of the gateway carries it. Its
routes come with the push that the sidecars confirm.

A sidecar that shows the mark may still have refused a listener of the same push (Envoy takes
clusters, listeners and routes apart). Such a listener keeps its error in ``config_dump`` until the
next update of listeners.
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
from meshproof.wait import until

MARK_HOST = "mark.meshproof.invalid"
MARK_PORT = 15999
_DUMP = f"config_dump?name_regex=.*{MARK_PORT}.*"
_CLUSTERS = "clusters?format=json"
_LISTENER_ERRORS = "config_dump?resource=dynamic_listeners&mask=name,error_state.details"
WITHIN = 60.0
"""Seconds that a sidecar has to show a mark."""


def new_mark() -> str:
    return f"m{secrets.token_hex(4)}"


def mark_documents(mark: str) -> str:
    """YAML to apply behind a change."""
    return asset("mark.yaml", {"MARK": mark})


@dataclass(frozen=True, slots=True)
class MarkState:
    """Which parts of a mark an Envoy's configuration has."""

    cluster: bool
    """The ServiceEntry and the DestinationRule's subset, in an active cluster."""
    route: bool
    """The VirtualService."""

    @property
    def missing(self) -> str:
        parts = {"ServiceEntry and DestinationRule": self.cluster, "VirtualService": self.route}
        return " and ".join(kinds for kinds, shown in parts.items() if not shown)


def mark_state(dump: Json, mark: str) -> MarkState:
    """Reads Envoy's ``config_dump?name_regex=``: sections, or with ``resource=`` bare entries."""
    expected = outbound_cluster(MARK_PORT, f"{mark}.{MARK_HOST}", mark)
    cluster = route = False
    for section in dump.get("configs", ()):
        entries = [*section.get("dynamic_active_clusters", ()), section]
        cluster = cluster or any(e.get("cluster", {}).get("name") == expected for e in entries)
        for entry in (*section.get("dynamic_route_configs", ()), section):
            for host in entry.get("route_config", {}).get("virtual_hosts", ()):
                route = route or any(r.get("name") == mark for r in host.get("routes", ()))
    return MarkState(cluster, route)


def addresses_by_cluster(clusters: Json) -> dict[str, set[str]]:
    """Reads Envoy's ``clusters?format=json``."""
    return {
        c["name"]: {
            h["address"]["socket_address"]["address"]
            for h in c.get("host_statuses", ())
            if "socket_address" in h["address"]
        }
        for c in clusters.get("cluster_statuses", ())
    }


def ready_addresses(slices: Iterable[Json]) -> dict[str, set[str]]:
    """``svcb.payments.svc.cluster.local`` -> the ready addresses of its EndpointSlices."""
    ready: dict[str, set[str]] = {}
    for item in slices:
        metadata = item["metadata"]
        service = (metadata.get("labels") or {}).get("kubernetes.io/service-name", "")
        addresses = ready.setdefault(service_host(service, metadata["namespace"]), set())
        for endpoint in item.get("endpoints") or ():
            if endpoint.get("conditions", {}).get("ready", True):
                addresses.update(endpoint["addresses"])
    return ready


def stale_service(actual: Mapping[str, set[str]], expected: Mapping[str, set[str]]) -> str:
    """Describes the first Service whose endpoints in a sidecar (``addresses_by_cluster``) differ
    from ``ready_addresses``; empty for none.

    A Service that the sidecar has no cluster for does not concern it.
    """
    for name, addresses in actual.items():
        cluster = ClusterName.parse(name)
        if cluster is None or cluster.direction != "outbound" or cluster.subset:
            continue
        if expected.get(cluster.host, addresses) != addresses:
            return f"{cluster.host} is {sorted(addresses)}, wanted {sorted(expected[cluster.host])}"
    return ""


def rejected_listeners(dump: Json) -> dict[str, str]:
    """Listener -> Envoy's error. Reads ``config_dump?resource=dynamic_listeners``, where a failed
    update of a new listener stands twice, once without its name."""
    return {
        listener["name"]: str(listener["error_state"].get("details", "no details"))
        for listener in dump.get("configs", ())
        if "error_state" in listener and "name" in listener
    }


class LiveCheck:
    """Asks sidecars until all of them show a mark."""

    def __init__(self, kubectl: Kubectl) -> None:
        self._kubectl = kubectl

    def wait(
        self, mark: str, sidecars: Sequence[Pod], expected: Mapping[str, set[str]], started: float
    ) -> list[Ack]:
        """One Ack a sidecar; ``expected`` is empty where no endpoint can have changed.

        ``started`` is ``time.monotonic()`` at the beginning of the change. Raises NotLive.
        """
        with ThreadPoolExecutor(self._kubectl.runner.at_once) as pool:
            return list(pool.map(lambda pod: self._ack(pod, mark, expected, started), sidecars))

    def _ack(self, pod: Pod, mark: str, expected: Mapping[str, set[str]], started: float) -> Ack:
        sidecar = f"{pod.namespace}/{pod.name}"
        until(
            lambda: self._reason(pod, mark, expected),
            f"waiting for the sidecar of {sidecar} to have the change",
            within=WITHIN,
        )
        listeners = json.loads(self._kubectl.admin(pod.namespace, pod.name, _LISTENER_ERRORS))
        for name, error in rejected_listeners(listeners).items():
            raise NotLive(f"the sidecar of {sidecar} refused listener {name}: {error}")
        return Ack(sidecar, mark, time.monotonic() - started)

    def _reason(self, pod: Pod, mark: str, expected: Mapping[str, set[str]]) -> str:
        state = mark_state(json.loads(self._kubectl.admin(pod.namespace, pod.name, _DUMP)), mark)
        if not state.cluster or not (state.route or pod.gateway):
            return f"it does not show the mark's {state.missing} yet"
        if not expected:
            return ""
        clusters = json.loads(self._kubectl.admin(pod.namespace, pod.name, _CLUSTERS))
        stale = stale_service(addresses_by_cluster(clusters), expected)
        return f"its endpoints are stale: {stale}" if stale else ""
