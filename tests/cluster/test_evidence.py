"""Access logs, spans and metrics of sidecars; what is not complete is void."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace
from typing import Any

import pytest

from meshproof.cluster import evidence
from meshproof.cluster.connections import ConnectionLost
from meshproof.cluster.evidence import ClusterEvidence
from meshproof.cluster.mesh import ClusterMesh
from meshproof.cluster.pods import Pod
from meshproof.errors import MeshproofError
from meshproof.telemetry import prometheus
from tests.fakes.cluster_machine import Machine
from tests.fakes.sidecar import BLOCKED, CALL, FLUSHED, PodOutput


def pod(name: str = "svcb-v0.1-0", **labels: str) -> Pod:
    return Pod(
        name, "payments", labels, "10.244.0.6", "svcb", meshed=True, running=True, ready=True,
        ending=False, restarts=0, reason="",
    )  # fmt: skip


def tracer(flushed: int, dropped: int = 0) -> tuple[int, str, str]:
    values = {"timer_flushed": flushed, "reports_dropped": dropped, "reports_failed": 0}
    values["reports_skipped_no_cluster"] = 0
    stats = [{"name": f"tracing.zipkin.{k}", "value": v} for k, v in values.items()]
    return (0, json.dumps({"stats": stats}), "")


def test_the_agents_own_lines_are_no_records() -> None:
    log = "\n".join(
        [
            "2026-11-23T17:55:21.642389Z\tinfo\tEnvoy proxy is ready",
            json.dumps(CALL), '{"level":"info"}', '{"cut off', json.dumps(BLOCKED),
        ]
    )  # fmt: skip
    assert len(evidence.records(log, pod(), "")) == 2
    (mine,) = evidence.records(log, pod(), "r1")
    assert (mine.direction, mine.code, mine.sidecar) == ("inbound", 200, "svcb-v0.1-0")
    blocked = evidence.records(log, pod(), "")[1]
    assert (blocked.direction, blocked.code, blocked.flags) == ("outbound", 0, "UH")
    assert evidence.records(log, pod(istio="ingressgateway"), "r1")[0].direction == "gateway"


def test_a_refusal_is_told_from_any_other_end() -> None:
    block_all = {**CALL, "route": "block_all", "code": 502, "upstream_cluster": None}
    sent = "811d402f-5478-903c-9406-86b8a7b6c3d7"  # the sampling decision differs
    assert evidence.is_refused(json.dumps(block_all), sent, "", "9")
    assert not evidence.is_refused(json.dumps(CALL), sent, "", "9")
    at = "10.100.35.27:9997"
    assert evidence.is_refused(json.dumps(BLOCKED), "x", at, "2026-11-23T17:55:25.000Z")
    assert not evidence.is_refused(json.dumps(BLOCKED), "x", at, "2026-11-23T17:55:26.000Z")
    assert not evidence.is_refused(json.dumps(BLOCKED), "x", "10.0.0.1:80", "2026")


def test_the_access_log_waits_until_it_is_written(
    machine: Machine, cluster: ClusterMesh, pod_output: PodOutput
) -> None:
    full = {"stats": [{"name": "filesystem.write_total_buffered", "value": 700}]}
    machine.fail("stats?format=json", (0, json.dumps(full), ""), times=2)
    pod_output.stats(FLUSHED)
    pod_output.log(CALL)
    assert [r.run_id for r in cluster.access_log("r1")] == ["r1"]
    assert len(machine.ran("filesystem")) == 4 + 2


class _Restarting:
    """A kubectl whose pods' Envoys do not answer the first two times."""

    def __init__(self) -> None:
        self.runner = SimpleNamespace(at_once=1)
        self.asked: list[str] = []

    def admin(self, _namespace: str, name: str, path: str) -> str:
        self.asked.append(path)
        if len(self.asked) <= 2:
            raise ConnectionLost(f"the connection to payments/{name} was lost")
        return "envoy_x 1\n"


def test_an_envoy_that_starts_again_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    kubectl: Any = _Restarting()
    assert 'pod="svcb-v0.1-0"' in ClusterEvidence(kubectl).metrics([pod()])
    assert len(kubectl.asked) == 3
    monkeypatch.setattr(evidence, "_START_LIMIT", 0.0)
    kubectl.asked.clear()
    with pytest.raises(MeshproofError, match=r"waiting for its Envoy.*was lost"):
        ClusterEvidence(kubectl).metrics([pod()])


def test_an_istio_without_the_statistics_is_named(
    cluster: ClusterMesh, pod_output: PodOutput
) -> None:
    pod_output.stats({"stats": []})
    with pytest.raises(MeshproofError, match="proxyStatsMatcher lacks the prefix filesystem"):
        cluster.access_log()
    with pytest.raises(MeshproofError, match=r"lacks the prefix tracing\.zipkin"):
        cluster.spans("r1")


SIDECARS = ("svca-0", "svcb-v0.1-0", "svcb-v0.2-0", "istio-ingressgateway-0")


def flush(machine: Machine, *, dropped: int = 0) -> None:
    """Every sidecar's tracer flushes twice after it was first asked."""
    for flushed in (5, 6, 7):
        for sidecar in SIDECARS:
            machine.fail(
                f"exec {sidecar} -c istio-proxy -- pilot-agent request GET 'stats",
                tracer(flushed, dropped),
                times=1,
            )


def stored(start: float, dropped: int = 0) -> tuple[int, str, str]:
    """The span store's answer: one span, and how many of the run it had no room for."""
    span = {"traceId": "a", "id": "b", "kind": "CLIENT", "tags": {"run_id": "r1"}}
    spans = [{**span, "timestamp": int(start * 1e6)}]
    return (0, json.dumps({"spans": spans, "dropped": dropped}), "")


def test_spans_are_read_after_two_flushes(machine: Machine, cluster: ClusterMesh) -> None:
    flush(machine)
    machine.fail("proxy/spans?run=r1", stored(0.0))
    (result,) = cluster.spans("r1")
    assert (result.trace_id, result.kind) == ("a", "CLIENT")


def test_spans_that_a_sidecar_dropped_void_their_run_alone(
    machine: Machine, cluster: ClusterMesh
) -> None:
    flush(machine, dropped=2)
    machine.fail("proxy/spans?run=r1", stored(time.time()), times=1)
    with pytest.raises(MeshproofError, match="dropped 2 reports"):
        cluster.spans("r1")
    flush(machine, dropped=2)
    machine.fail("proxy/spans?run=r1", stored(time.time() + 60))
    assert len(cluster.spans("r1")) == 1


def test_spans_that_the_store_dropped_void_their_run(
    machine: Machine, cluster: ClusterMesh
) -> None:
    flush(machine)
    machine.fail("proxy/spans?run=r1", stored(0.0, dropped=3))
    with pytest.raises(MeshproofError, match="no room for 3 reports of this run"):
        cluster.spans("r1")


def test_metrics_say_of_which_pod_they_are() -> None:
    text = '# TYPE istio_requests_total counter\nistio_requests_total{a="b"} 3\nup 1\n'
    merged = prometheus.merge_pods({"svca-0": text, "svcb-0": text})
    assert merged.count("# TYPE") == 1
    assert 'istio_requests_total{pod="svcb-0",a="b"} 3' in merged
    assert 'up{pod="svca-0"} 1' in merged


def test_a_loss_voids_only_the_runs_during_which_it_happened() -> None:
    times = iter((100.0, 200.0, 300.0, 400.0))
    lost = evidence.LostReports(lambda: next(times))
    lost.add("ns/a", 0)
    lost.add("ns/a", 5)
    assert lost.since("ns/a", 150.0) == 5
    assert lost.since("ns/a", 250.0) == 0
    assert lost.since("ns/a", 0.0) == 5, "no span of the run is left to tell when it began"
    lost.add("ns/a", 2)
    assert lost.since("ns/a", 250.0) == 2, "its Envoy was restarted"
    assert lost.since("ns/b", 0.0) == 0


def test_under_load_two_writes_are_enough(
    machine: Machine, cluster: ClusterMesh, pod_output: PodOutput
) -> None:
    """Its buffer is never empty then."""

    def stats(written: int) -> tuple[int, str, str]:
        values = {"write_total_buffered": 700, "write_completed": written}
        return (
            0,
            json.dumps(
                {"stats": [{"name": f"filesystem.{k}", "value": v} for k, v in values.items()]}
            ),
            "",
        )

    for written in (5, 6, 6, 7):
        machine.fail("filter=^filesystem", stats(written), times=1)
    pod_output.stats(FLUSHED)
    pod_output.log(CALL)
    assert len(cluster.access_log("r1")) == 1
    looks = [command for command in machine.ran("filter=^filesystem") if "svca-0" in command]
    assert len(looks) == 4, "until the second write after the first look"
