"""Evidence from a cluster's sidecars: access log, spans, metrics; complete, or an error.

Envoy's own statistics show completeness: file buffers are empty and tracers have flushed.
``assets/istio.yaml`` makes Istio keep those statistics.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from meshproof.cluster.answered_requests import AnsweredRequests
from meshproof.cluster.assets import SYSTEM
from meshproof.cluster.connections import ConnectionLost
from meshproof.cluster.kubectl import Kubectl
from meshproof.cluster.pods import PROXY, Pod
from meshproof.errors import MeshproofError
from meshproof.istio_names import (
    BLACK_HOLE_CLUSTER,
    BLOCK_ALL,
    is_inbound,
    outbound_cluster,
    service_host,
)
from meshproof.mesh import AccessRecord, Span
from meshproof.telemetry import access_log
from meshproof.telemetry.log_lines import LogLine
from meshproof.telemetry.prometheus import merge_pods
from meshproof.telemetry.span_store import SpanStore
from meshproof.wait import until

T = TypeVar("T")
SPAN_STORE_CLUSTER = outbound_cluster(9411, service_host("zipkin", SYSTEM))
_FLUSH_LIMIT = 20.0
_START_LIMIT = 60.0
"""Seconds until a killed Envoy answers again; the kubelet waits 10, then 20 before it starts one
that was killed twice or three times."""
_CLOCK_MARGIN = 1.0
"""Seconds by which a node's clock may be off, and in which a run's first spans may be lost."""
_LOST = ("reports_dropped", "reports_failed", "reports_skipped_no_cluster")
_NEEDS = "its proxyStatsMatcher lacks the prefix {}: docs/kind.md says what an Istio must have"


class LostReports:
    """How many reports of spans each sidecar's tracer had lost, and when that was first seen: the
    counter starts with its Envoy, and a loss voids only the runs during which it happened."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._first_seen: dict[str, dict[int, float]] = {}

    def add(self, sidecar: str, lost: int) -> None:
        seen = self._first_seen.setdefault(sidecar, {})
        if any(more > lost for more in seen):  # its Envoy was restarted
            seen.clear()
        seen.setdefault(lost, self._clock())

    def since(self, sidecar: str, began: float) -> int:
        """Lost by a run that began then, in seconds since the epoch."""
        seen = self._first_seen.get(sidecar, {})
        before = [lost for lost, at in seen.items() if at < began - _CLOCK_MARGIN]
        return max(seen, default=0) - max(before, default=0)


class ClusterEvidence:
    """Reads from several sidecars in parallel."""

    def __init__(self, kubectl: Kubectl) -> None:
        self._kubectl = kubectl
        self._lost = LostReports()
        self.answered = AnsweredRequests()

    def each(self, pods: Sequence[Pod], read: Callable[[Pod], T]) -> list[T]:
        with ThreadPoolExecutor(self._kubectl.runner.at_once) as pool:
            return list(pool.map(read, pods))

    def access_log(self, pods: Sequence[Pod], run_id: str) -> list[AccessRecord]:
        """Every record of a run (of all runs without ``run_id``), the gateways' first. The log of
        a pod that is gone is lost."""
        logs = self.each(pods, lambda pod: self._records(pod, run_id))
        return [record for log in sorted(logs, key=_gateways_first) for record in log]

    def _records(self, pod: Pod, run_id: str) -> list[AccessRecord]:
        return records(self._wait_written(pod), pod, run_id)

    def wait_written(self, pods: Sequence[Pod]) -> list[str]:
        """The logs, once each has all that its Envoy has logged by now."""
        return self.each(pods, self._wait_written)

    def _wait_written(self, pod: Pod) -> str:
        """Under load the Envoy's buffer is never empty. But each write takes all of it, so the
        second that is completed after the first look has what was logged before. What is written
        then passes through the container runtime: see ``AnsweredRequests``."""
        completed: list[int] = []

        def reason() -> str:
            stats = self._stats(pod, "filesystem")
            buffered = stats.get("filesystem.write_total_buffered")
            if buffered is None:
                raise MeshproofError(_of(pod, _NEEDS.format("filesystem")))
            completed.append(stats.get("filesystem.write_completed", 0))
            if completed[-1] >= completed[0] + 2:
                return ""
            return f"{buffered} bytes of it are still buffered" if buffered else ""

        until(reason, _of(pod, "waiting for its access log"), within=_FLUSH_LIMIT)
        return self.answered.read_with(pod, lambda: self.proxy_log(pod))

    def proxy_log(self, pod: Pod) -> str:
        return self._log(pod, PROXY)

    def app_log(self, pod: Pod) -> str:
        return self._log(pod, pod.container)

    def _log(self, pod: Pod, container: str) -> str:
        doing = _of(pod, "reading its log")
        return self._kubectl.log(pod.namespace, pod.name, container, doing=doing)

    def spans(self, pods: Sequence[Pod], run_id: str) -> list[Span]:
        """Every span of a run. Raises MeshproofError where an Envoy or the store dropped some."""
        self.each(pods, self._wait_flushed)
        path = f"/api/v1/namespaces/{SYSTEM}/services/zipkin:9411/proxy/spans?run={run_id}"
        stored = self._kubectl.raw(path, doing="asking the span store")
        if stored["dropped"]:
            raise MeshproofError(
                f"the span store had no room for {stored['dropped']} reports of this run; a "
                "verdict on the rest would be void; trace fewer requests at once"
            )
        store = SpanStore()
        store.add(json.dumps(stored["spans"]).encode())
        spans = store.of_run(run_id)
        self._check_lost(pods, self._beginning(pods, run_id, spans))
        return spans

    def _beginning(self, pods: Sequence[Pod], run_id: str, spans: Sequence[Span]) -> float:
        """When a run's first request began, or ended where its spans were lost; seconds since the
        epoch, infinity for a run without a request."""
        logged = self.each(pods, lambda pod: raw_records(self.proxy_log(pod), run_id))
        times = [_seconds(raw["time"]) for log in logged for raw in log if raw.get("time")]
        return min([*times, *(span.start for span in spans)], default=float("inf"))

    def _check_lost(self, pods: Sequence[Pod], began: float) -> None:
        for pod in pods:
            if lost := self._lost.since(f"{pod.namespace}/{pod.name}", began):
                raise MeshproofError(
                    _of(pod, f"it dropped {lost} reports of spans; the rest proves nothing")
                )

    def _wait_flushed(self, pod: Pod) -> None:
        """Each of an Envoy's workers flushes on a timer, then posts: two flushes of each later, and
        with no post under way, every span has left it."""
        before = self._tracer_stats(pod)

        def reason() -> str:
            now = self._tracer_stats(pod)
            if now["timer_flushed"] < before["timer_flushed"] + 2 * before["workers"]:
                return "it has not flushed twice"
            posts = self._posts_under_way(pod)
            return f"{posts} reports are on their way to the span store" if posts else ""

        until(reason, _of(pod, "waiting for its spans"), within=_FLUSH_LIMIT)

    def _tracer_stats(self, pod: Pod) -> Mapping[str, int]:
        stats = self._stats(pod, "(tracing.zipkin|server.concurrency)")
        if "tracing.zipkin.timer_flushed" not in stats:
            raise MeshproofError(_of(pod, _NEEDS.format("tracing.zipkin")))
        names = ("timer_flushed", *_LOST)
        counters = {name: stats.get(f"tracing.zipkin.{name}", 0) for name in names}
        counters["workers"] = stats.get("server.concurrency", 1)
        self._lost.add(f"{pod.namespace}/{pod.name}", sum(counters[name] for name in _LOST))
        return counters

    def _posts_under_way(self, pod: Pod) -> int:
        """Reads Envoy's ``clusters?format=json``."""
        response = json.loads(self._admin(pod, "clusters?format=json"))
        return sum(
            int(stat.get("value", 0))
            for cluster in response.get("cluster_statuses", ())
            if cluster["name"] == SPAN_STORE_CLUSTER
            for host in cluster.get("host_statuses", ())
            for stat in host.get("stats", ())
            if stat["name"] == "rq_active"
        )

    def _stats(self, pod: Pod, prefix: str) -> dict[str, int]:
        path = f"stats?format=json&filter=^{prefix}"
        response = json.loads(self._admin(pod, path))
        return {s["name"]: s["value"] for s in response["stats"] if "value" in s}

    def _admin(self, pod: Pod, path: str) -> str:
        """What an Envoy's admin interface answers. One that was killed is waited for: the kubelet
        starts it again."""
        responses: list[str] = []

        def reason() -> str:
            try:
                responses.append(self._kubectl.admin(pod.namespace, pod.name, path))
            except ConnectionLost as error:
                return str(error)
            return ""

        until(reason, _of(pod, "waiting for its Envoy"), within=_START_LIMIT)
        return responses[0]

    def metrics(self, pods: Sequence[Pod]) -> str:
        """Prometheus text of several sidecars in one; every sample gets a ``pod`` label."""
        texts = self.each(pods, lambda pod: self._admin(pod, "stats/prometheus"))
        return merge_pods({pod.name: text for pod, text in zip(pods, texts, strict=True)})


def records(log: str, pod: Pod, run_id: str) -> list[AccessRecord]:
    """The access log in the output of istio-proxy, whose agent writes lines too; those are not
    JSON."""
    return [
        access_log.to_record({**raw, "direction": direction(raw, pod)}, pod.name)
        for raw in raw_records(log, run_id)
        if not run_id or raw.get("run_id") == run_id
    ]


def raw_records(log: str, part: str = "") -> list[dict[str, Any]]:
    """The same records as Envoy wrote them; of the lines that contain ``part``."""
    parsed = []
    for line in log.splitlines():
        if not line.startswith("{") or part not in line:
            continue
        try:
            raw = json.loads(line)
        except ValueError:
            continue  # a line that was cut off
        if "run_id" in raw and "upstream_cluster" in raw:
            parsed.append(raw)
    return parsed


def direction(raw: Mapping[str, Any], pod: Pod) -> str:
    """By Istio's names of inbound clusters; a record without a cluster (a refusal) is outbound."""
    if pod.gateway:
        return "gateway"
    cluster = str(raw.get("upstream_cluster") or "")
    return (
        "inbound" if is_inbound(cluster) or cluster.startswith("InboundPassthrough") else "outbound"
    )


def with_direction(line: LogLine, pod: Pod) -> LogLine:
    """A line of a sidecar's log; those of its agent have no direction."""
    entry = line.entry
    if "upstream_cluster" not in entry:
        return line
    return replace(line, entry={**entry, "direction": direction(entry, pod)})


def is_refused(log: str, request_id: str, destination: str, since: str) -> bool:
    """Whether the log shows that a sidecar refused a request.

    REGISTRY_ONLY answers 502 on a port with HTTP services, and closes the connection on any other
    port. A closed connection has no request id, so it is recognized by ``destination``
    (``ip:port``) and by a time not before ``since`` (``2026-11-24T07:00:00.000Z``).
    """
    for raw in raw_records(log):
        is_request = same_request(str(raw.get("request_id") or ""), request_id)
        if raw.get("route") == BLOCK_ALL and is_request:
            return True
        is_recent = str(raw.get("time") or "") >= since
        is_destination = raw.get("downstream_local") == destination
        is_black_hole = raw.get("upstream_cluster") == BLACK_HOLE_CLUSTER
        if is_black_hole and is_destination and is_recent:
            return True
    return False


def same_request(logged: str, sent: str) -> bool:
    """Envoy writes its sampling decision into the version digit of a UUID (position 14)."""
    return bool(logged) and logged[:14] + logged[15:] == sent[:14] + sent[15:]


def _seconds(time_of_record: str) -> float:
    """Since the epoch, of an access log's time."""
    return datetime.fromisoformat(time_of_record).timestamp()


def now() -> str:
    """UTC, in the format of the access log's times."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())


def _of(pod: Pod, what: str) -> str:
    return f"sidecar of {pod.namespace}/{pod.name}: {what}"


def _gateways_first(records: list[AccessRecord]) -> bool:
    return bool(records) and records[0].direction != "gateway"
