"""What a run left behind in a cluster: access log, spans, metrics; complete, or an error.

Completeness is asked of the Envoys: their file buffers are empty, their tracers have flushed and
nothing is on its way. ``assets/istio.yaml`` makes Istio keep the statistics for that.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from meshproof.cluster.assets import SYSTEM
from meshproof.cluster.kubectl import Kubectl
from meshproof.cluster.pods import PROXY, Pod
from meshproof.errors import MeshproofError
from meshproof.istio_names import is_inbound
from meshproof.mesh import AccessRecord, Span
from meshproof.telemetry import access_log
from meshproof.telemetry.prometheus import merged
from meshproof.telemetry.span_store import SpanStore
from meshproof.wait import until

T = TypeVar("T")
_FLUSH_LIMIT = 20.0
_LOST = ("reports_dropped", "reports_failed", "reports_skipped_no_cluster")
_NEEDS = "its proxyStatsMatcher lacks the prefix {}: docs/kind.md says what an Istio must have"


class ClusterEvidence:
    """Reads from all sidecars, some at a time."""

    def __init__(self, kubectl: Kubectl) -> None:
        self._kubectl = kubectl

    def each(self, pods: Sequence[Pod], read: Callable[[Pod], T]) -> list[T]:
        with ThreadPoolExecutor(self._kubectl.runner.at_once) as pool:
            return list(pool.map(read, pods))

    def access_log(self, pods: Sequence[Pod], run_id: str) -> list[AccessRecord]:
        """Every record of a run (of all without one), the gateways' first. A pod that is gone has
        taken its log along."""
        found = self.each(pods, lambda pod: self._records(pod, run_id))
        return [r for one in sorted(found, key=_gateway_first) for r in one]

    def _records(self, pod: Pod, run_id: str) -> list[AccessRecord]:
        def reason() -> str:
            buffered = self._stats(pod, "filesystem").get("filesystem.write_total_buffered")
            if buffered is None:
                raise MeshproofError(_of(pod, _NEEDS.format("filesystem")))
            return f"{buffered} bytes of it are not written" if buffered else ""

        until(reason, _of(pod, "waiting for its access log"), within=_FLUSH_LIMIT)
        return records(self.proxy_log(pod), pod, run_id)

    def proxy_log(self, pod: Pod) -> str:
        return self._kubectl.run(
            "-n", pod.namespace, "logs", pod.name, "-c", PROXY,
            doing=_of(pod, "reading its log"), timeout=120,
        ).text  # fmt: skip

    def app_log(self, pod: Pod) -> str:
        return self._kubectl.run(
            "-n", pod.namespace, "logs", pod.name, "-c", pod.container,
            doing=_of(pod, "reading its log"), timeout=120,
        ).text  # fmt: skip

    def spans(self, pods: Sequence[Pod], run_id: str) -> list[Span]:
        """Every span of a run. Raises MeshproofError where an Envoy or the store dropped some."""
        self.each(pods, self._tracer_flushed)
        path = f"/api/v1/namespaces/{SYSTEM}/services/zipkin:9411/proxy/spans?run={run_id}"
        held = self._kubectl.raw(path, doing="asking the span store")
        if held["dropped"]:
            raise MeshproofError(
                f"the span store had no room for {held['dropped']} reports; a verdict on what is "
                "left would be void; trace fewer requests at once"
            )
        store = SpanStore()
        store.add(json.dumps(held["spans"]).encode())
        return store.of_run(run_id)

    def _tracer_flushed(self, pod: Pod) -> None:
        """A tracer flushes by its timer, then posts; two flushes after now, all has left."""
        first = self._tracer(pod)

        def reason() -> str:
            now = self._tracer(pod)
            lost = sum(now[name] for name in _LOST)
            if lost:
                raise MeshproofError(
                    _of(pod, f"it dropped {lost} reports of spans; what is left proves nothing")
                )
            if now["timer_flushed"] < first["timer_flushed"] + 2:
                return "its timer has not come round twice"
            return ""

        until(reason, _of(pod, "waiting for its spans"), within=_FLUSH_LIMIT)

    def _tracer(self, pod: Pod) -> Mapping[str, int]:
        stats = self._stats(pod, "tracing.zipkin")
        if "tracing.zipkin.timer_flushed" not in stats:
            raise MeshproofError(_of(pod, _NEEDS.format("tracing.zipkin")))
        names = ("timer_flushed", *_LOST)
        return {name: stats.get(f"tracing.zipkin.{name}", 0) for name in names}

    def _stats(self, pod: Pod, prefix: str) -> dict[str, int]:
        path = f"stats?format=json&filter=^{prefix}"
        said = json.loads(self._kubectl.admin(pod.namespace, pod.name, path))
        return {s["name"]: s["value"] for s in said["stats"] if "value" in s}

    def metrics(self, pods: Sequence[Pod]) -> str:
        """Prometheus text of several sidecars as one: every sample gets a ``pod`` label."""
        texts = self.each(
            pods, lambda p: self._kubectl.admin(p.namespace, p.name, "stats/prometheus")
        )
        return merged({pod.name: text for pod, text in zip(pods, texts, strict=True)})


def records(log: str, pod: Pod, run_id: str) -> list[AccessRecord]:
    """The access log lines among what istio-proxy writes; the agent's own lines are no JSON."""
    return [
        access_log.record({**raw, "direction": direction(raw, pod)}, f"{pod.namespace}/{pod.name}")
        for raw in raw_records(log)
        if not run_id or raw.get("run_id") == run_id
    ]


def raw_records(log: str) -> list[dict[str, Any]]:
    found = []
    for line in log.splitlines():
        if not line.startswith("{"):
            continue
        try:
            raw = json.loads(line)
        except ValueError:
            continue  # the agent was cut off in the middle of a line
        if "run_id" in raw and "upstream_cluster" in raw:
            found.append(raw)
    return found


def direction(raw: Mapping[str, Any], pod: Pod) -> str:
    """Istio names every inbound cluster so; what has none (a refusal) was on its way out."""
    if pod.gateway:
        return "gateway"
    cluster = str(raw.get("upstream_cluster") or "")
    return (
        "inbound" if is_inbound(cluster) or cluster.startswith("InboundPassthrough") else "outbound"
    )


def refused(log: str, request_id: str, destination: str, since: str) -> bool:
    """Whether a sidecar refused a request: by its own answer (REGISTRY_ONLY on a port with HTTP
    services), or by closing the connection (any other port), which has no request id: then by
    ``ip:port`` and time (``2026-11-24T07:00:00.000Z``)."""
    for raw in raw_records(log):
        same = same_request(str(raw.get("request_id") or ""), request_id)
        if raw.get("route") == "block_all" and same:
            return True
        late = str(raw.get("time") or "") >= since
        there = raw.get("downstream_local") == destination
        if raw.get("upstream_cluster") == "BlackHoleCluster" and there and late:
            return True
    return False


def same_request(logged: str, sent: str) -> bool:
    """Envoy writes its sampling decision into the version digit of a UUID (position 14)."""
    return bool(logged) and logged[:14] + logged[15:] == sent[:14] + sent[15:]


def now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())


def _of(pod: Pod, what: str) -> str:
    return f"sidecar of {pod.namespace}/{pod.name}: {what}"


def _gateway_first(one: list[AccessRecord]) -> bool:
    return bool(one) and one[0].direction != "gateway"
