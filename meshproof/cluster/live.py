"""Whether a change is live, from the sidecars' own configuration: a *mark* is applied behind it.

istiod reports what it sent and what was acknowledged, but not whether it has read the change yet.
So every change ends with a mark: an EnvoyFilter in each namespace with workloads, and one for the
gateway, that writes a new name into the metadata of BlackHoleCluster and of every route
configuration (``assets/mark.yaml``). Istio gives BlackHoleCluster to every sidecar and gateway, and
no ``Sidecar`` or ``exportTo`` hides an EnvoyFilter of the workload's own namespace.

Why an Envoy that shows the mark has the change:

- istiod reads each kind by a watch of its own, and a push carries everything read so far. The mark
  is applied last, and istiod pushes 100 ms after the last event that it read (its debounce), so a
  watch would have to be 100 ms behind the mark's to be left out.
- An EnvoyFilter's push carries every type, in this order on one stream: clusters, endpoints,
  listeners, routes (istiod's ``PushOrder``). The mark shows clusters and routes. Listeners carry no
  mark, because a changed listener drains; instead their version (``lds.version_text``) must not be
  older than the clusters' one. The ``version_info`` of a configuration dump would not do: Envoy
  keeps the old one where a push changes nothing.
- A listener that was replaced still serves its connections by the old rules until it has drained
  (``drainDuration`` of Istio's ProxyConfig, 45 s by default, 2 s in ``assets/istio.yaml``). So no
  listener may be warming or draining.

Endpoints are checked separately, because pods reach istiod by another watch: a sidecar's endpoints
of a Service must be those that Kubernetes reports as ready.

An Envoy that shows the mark may still have refused a listener of the same push (Envoy takes
clusters, listeners and routes apart). Such a listener keeps its error in ``config_dump`` until the
next update of listeners.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import yaml

from meshproof.cluster.assets import asset
from meshproof.cluster.kubectl import Json, Kubectl
from meshproof.cluster.pods import Pod
from meshproof.errors import NotLive
from meshproof.istio_names import INGRESS_GATEWAY_LABELS, ROOT_NAMESPACE, ClusterName, service_host
from meshproof.mesh import Ack
from meshproof.model.yaml_writer import documents_to_yaml
from meshproof.wait import until

_MARKED_CLUSTER = "config_dump?resource=dynamic_active_clusters&name_regex=^BlackHoleCluster$"
_ROUTES = "config_dump?resource=dynamic_route_configs"
_LISTENERS = "config_dump?resource=dynamic_listeners&mask=name,error_state"
_STATS = (
    "stats?format=json&filter=^(cluster_manager.|listener_manager.)(cds.|lds.)?"
    "(version_text|total_|warming_clusters)"
)
_CLUSTERS = "clusters?format=json"
WITHIN = 60.0
"""Seconds that a sidecar has to show a mark, and to drain."""


def new_mark() -> str:
    return f"m{secrets.token_hex(4)}"


def mark_documents(
    mark: str, namespaces: Collection[str], renewals: Mapping[str, int] | None = None
) -> str:
    """YAML to apply behind a change: for the sidecars of these namespaces, and the gateway.

    ``renewals`` numbers the clusters of these hosts; Envoy makes anew one whose number changes.
    """
    marks = [_mark_document(mark, namespace) for namespace in (*namespaces, ROOT_NAMESPACE)]
    for document in marks:
        for host, number in sorted((renewals or {}).items()):
            document["spec"]["configPatches"] += _renewal_patches(host, number)
    # In Istio's root namespace it would be for all sidecars of the cluster, others' too.
    marks[-1]["spec"]["workloadSelector"] = {"labels": dict(INGRESS_GATEWAY_LABELS)}
    return documents_to_yaml(marks)


def _mark_document(mark: str, namespace: str) -> Json:
    document: Json = yaml.safe_load(asset("mark.yaml", {"MARK": mark, "NAMESPACE": namespace}))
    return document


def _renewal_patches(host: str, number: int) -> list[Json]:
    metadata = {"filter_metadata": {"meshproof": {"connections": number}}}
    patch = {"operation": "MERGE", "value": {"metadata": metadata}}
    return [
        {
            "applyTo": "CLUSTER",
            "match": {"context": context, "cluster": {"service": host}},
            "patch": patch,
        }
        for context in ("SIDECAR_OUTBOUND", "GATEWAY")
    ]


@dataclass(frozen=True, slots=True)
class EnvoyState:
    """What an Envoy's configuration says of a change."""

    mark: str = ""
    """In BlackHoleCluster."""
    route_marks: Mapping[str, str] = field(default_factory=dict)
    """Route configuration -> its mark."""
    stats: Mapping[str, Any] = field(default_factory=dict)

    def reason(self, mark: str) -> str:
        """Why it does not have the change with this mark yet; empty where it has."""
        if self.mark != mark:
            return f"it does not show the mark {mark} yet, but {self.mark or 'none'}"
        routes = [name for name, current in self.route_marks.items() if current != mark]
        if routes:
            return f"its routes {', '.join(sorted(routes))} are older than the change"
        listeners = str(self.stats.get("listener_manager.lds.version_text", ""))
        clusters = str(self.stats.get("cluster_manager.cds.version_text", ""))
        if _version(listeners) < _version(clusters):
            return f"its listeners ({listeners}) are older than the change"
        return self._unsettled()

    def _unsettled(self) -> str:
        counts = {
            what: self.stats.get(f"listener_manager.total_{what.replace(' ', '_')}")
            for what in ("listeners warming", "listeners draining", "filter chains draining")
        }
        counts["clusters warming"] = self.stats.get("cluster_manager.warming_clusters")
        unsettled = [f"{count} {what}" for what, count in counts.items() if count]
        return f"it still has {', '.join(unsettled)}" if unsettled else ""


def _version(text: str) -> tuple[str, int]:
    """istiod's: the time at which it was made, and a counter."""
    created, _, number = text.partition("/")
    return (created, int(number) if number.isdigit() else 0)


def cluster_mark(dump: Json) -> str:
    """Reads ``config_dump?resource=dynamic_active_clusters``: bare entries."""
    return next((_mark_of(entry.get("cluster", {})) for entry in dump.get("configs", ())), "")


def route_marks(dump: Json) -> dict[str, str]:
    """Reads ``config_dump?resource=dynamic_route_configs``: bare entries."""
    configs = [
        entry["route_config"] for entry in dump.get("configs", ()) if "route_config" in entry
    ]
    return {config.get("name", ""): _mark_of(config) for config in configs}


def _mark_of(resource: Json) -> str:
    metadata = resource.get("metadata", {}).get("filter_metadata", {})
    return str(metadata.get("meshproof", {}).get("mark", ""))


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


def rejected_listeners(dump: Json, since: str = "") -> dict[str, str]:
    """Listener -> Envoy's error, of updates not before ``since`` (Envoy's ``last_updated`` of
    something else). Reads ``config_dump?resource=dynamic_listeners``, where a failed update of a
    new listener stands twice, once without its name."""
    return {
        listener["name"]: str(listener["error_state"].get("details", "no details"))
        for listener in dump.get("configs", ())
        if "error_state" in listener and "name" in listener
        if str(listener["error_state"].get("last_update_attempt", since)) >= since
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
            every=0.05,
        )
        return Ack(pod.name, mark, time.monotonic() - started)

    def _reason(self, pod: Pod, mark: str, expected: Mapping[str, set[str]]) -> str:
        marked = self._ask(pod, _MARKED_CLUSTER)
        if cluster_mark(marked) == mark:  # the listeners of its push come next, or were refused
            self._check_listeners(pod, since=marked["configs"][0].get("last_updated", ""))
        state = EnvoyState(
            cluster_mark(marked),
            route_marks(self._ask(pod, _ROUTES)),
            {s["name"]: s["value"] for s in self._ask(pod, _STATS)["stats"] if "value" in s},
        )
        if (reason := state.reason(mark)) or not expected:
            return reason
        stale = stale_service(addresses_by_cluster(self._ask(pod, _CLUSTERS)), expected)
        return f"its endpoints are stale: {stale}" if stale else ""

    def _check_listeners(self, pod: Pod, since: str) -> None:
        """Raises NotLive for a listener that Envoy refused since then."""
        for name, error in rejected_listeners(self._ask(pod, _LISTENERS), since).items():
            raise NotLive(
                f"the sidecar of {pod.namespace}/{pod.name} refused listener {name}: {error}"
            )

    def _ask(self, pod: Pod, path: str) -> Json:
        response: Json = json.loads(self._kubectl.admin(pod.namespace, pod.name, path))
        return response
