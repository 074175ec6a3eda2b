"""What sidecars, pods and Docker really print is read right; counts that are not whole are void."""

from __future__ import annotations

import json
from typing import Any

import pytest

from meshproof.cluster import evidence, live, pod_request
from meshproof.cluster.mesh import ClusterMesh
from meshproof.cluster.pods import Pod, parse_pods
from meshproof.errors import MeshproofError, UsageError
from meshproof.telemetry import prometheus
from tests.fakes.cluster_machine import Machine, recorded

BLOCKED = {
    "time": "2026-11-23T17:55:25.635Z", "code": 0, "flags": "UH", "run_id": None, "route": None,
    "upstream_cluster": "BlackHoleCluster", "downstream_local": "10.100.35.27:9997",
    "request_id": None,
}  # fmt: skip
CALL = {
    "time": "2026-11-23T17:55:25.630Z", "method": "GET", "path": "/notify", "code": 200,
    "flags": "-", "run_id": "r1", "route": "default", "upstream_cluster": "inbound|8080||",
    "downstream_local": "10.244.0.6:8080", "request_id": "811d402f-5478-403c-9406-86b8a7b6c3d7",
}  # fmt: skip
EMPTY = {"stats": [{"name": "filesystem.write_total_buffered", "value": 0}]}


def pod(name: str = "svcb-v0.1-0", **labels: str) -> Pod:
    return Pod(
        name, "payments", labels, "10.244.0.6", "svcb", meshed=True, running=True, ready=True,
        ending=False, restarts=0, reason="",
    )  # fmt: skip


def test_a_recorded_pod_has_a_native_sidecar() -> None:
    said = recorded("kubectl --kubeconfig kubeconfig get pods -o json")
    (found,) = parse_pods(json.loads(said[1])["items"])
    assert (found.meshed, found.ready, found.ending, found.container) == (True, True, False, "svca")
    assert found.address.startswith("10.244.")


def test_recorded_routes_show_no_mark_and_the_mark_is_found_among_them() -> None:
    said = recorded("kubectl --kubeconfig kubeconfig exec deploy/svca-1", "", "config_dump")
    dump = json.loads(said[1])
    assert (
        live.mark_state(dump, "m1").missing == "ServiceEntry and DestinationRule and VirtualService"
    )
    route = {"name": "m1", "match": {"prefix": "/"}}
    dump["configs"][0]["route_config"]["virtual_hosts"].append({"routes": [route]})
    assert live.mark_state(dump, "m1") == live.MarkState(cluster=False, route=True)
    warm = {"name": "outbound|15999|m1|m1.mark.meshproof.invalid"}
    dump["configs"].append({"dynamic_warming_clusters": [{"cluster": warm}]})
    assert not live.mark_state(dump, "m1").cluster, "warming is not live"
    dump["configs"].append({"dynamic_active_clusters": [{"cluster": warm}]})
    assert live.mark_state(dump, "m1").cluster


def test_recorded_endpoint_slices_say_who_is_ready() -> None:
    slices = json.loads(recorded("kubectl --kubeconfig kubeconfig get endpointslices")[1])["items"]
    found = live.ready_addresses(slices)
    assert len(found["svcb.default.svc.cluster.local"]) == 2
    for one in slices:
        for endpoint in one["endpoints"]:
            endpoint["conditions"]["ready"] = False
    assert not any(live.ready_addresses(slices).values())


def test_endpoints_are_compared_service_by_service() -> None:
    known = {
        "outbound|80||a.ns.svc.cluster.local": {"1", "2"},
        "outbound|80|v1|a.ns.svc.cluster.local": {"1"},
        "outbound|53||dns.kube-system.svc.cluster.local": {"9"},
        "inbound|8080||": set(),
    }
    assert not live.stale_service(known, {"a.ns.svc.cluster.local": {"1", "2"}})
    assert "wanted ['1']" in live.stale_service(known, {"a.ns.svc.cluster.local": {"1"}})


def test_the_agents_own_lines_are_no_records() -> None:
    log = "\n".join(
        [
            "2026-11-23T17:55:21.642389Z\tinfo\tEnvoy proxy is ready",
            json.dumps(CALL), '{"level":"info"}', '{"cut off', json.dumps(BLOCKED),
        ]
    )  # fmt: skip
    assert len(evidence.records(log, pod(), "")) == 2
    (mine,) = evidence.records(log, pod(), "r1")
    assert (mine.direction, mine.code, mine.sidecar) == ("inbound", 200, "payments/svcb-v0.1-0")
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


class Answers:
    """What pods answer to exec, by a word of the command."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def stats(self, stats: dict[str, Any]) -> None:
        self._machine.fail("stats?format=json", (0, json.dumps(stats), ""))

    def log(self, *raw: dict[str, Any]) -> None:
        text = "".join(json.dumps(r) + "\n" for r in raw)
        self._machine.fail("logs svcb-v0.1-0", (0, text, ""))

    def request(self, **said: Any) -> None:
        whole = {"error": "", "closed": False, "ip": "10.100.35.27:9997", "seconds": 0.1, **said}
        self._machine.fail("python3 -c", (0, json.dumps(whole), ""))


@pytest.fixture
def answers(machine: Machine) -> Answers:
    return Answers(machine)


def test_the_access_log_waits_until_it_is_written(
    machine: Machine, cluster: ClusterMesh, answers: Answers
) -> None:
    full = {"stats": [{"name": "filesystem.write_total_buffered", "value": 700}]}
    machine.fail("stats?format=json", (0, json.dumps(full), ""), times=2)
    answers.stats(EMPTY)
    answers.log(CALL)
    assert [r.run_id for r in cluster.access_log("r1")] == ["r1"]
    assert len(machine.ran("filesystem")) == 4 + 2


def test_an_istio_without_the_statistics_is_named(cluster: ClusterMesh, answers: Answers) -> None:
    answers.stats({"stats": []})
    with pytest.raises(MeshproofError, match="proxyStatsMatcher lacks the prefix filesystem"):
        cluster.access_log()
    with pytest.raises(MeshproofError, match=r"lacks the prefix tracing\.zipkin"):
        cluster.spans("r1")


def tracer(flushed: int, dropped: int = 0) -> tuple[int, str, str]:
    values = {"timer_flushed": flushed, "reports_dropped": dropped, "reports_failed": 0}
    values["reports_skipped_no_cluster"] = 0
    stats = [{"name": f"tracing.zipkin.{k}", "value": v} for k, v in values.items()]
    return (0, json.dumps({"stats": stats}), "")


def test_spans_are_read_after_two_flushes(machine: Machine, cluster: ClusterMesh) -> None:
    for flushed in (5, 6, 7):
        for sidecar in ("svca-0", "svcb-v0.1-0", "svcb-v0.2-0", "istio-ingressgateway-0"):
            machine.fail(
                f"exec {sidecar} -c istio-proxy -- pilot-agent request GET 'stats",
                tracer(flushed),
                times=1,
            )
    span = {"traceId": "a", "id": "b", "kind": "CLIENT", "tags": {"run_id": "r1"}}
    machine.fail("proxy/spans?run=r1", (0, json.dumps({"spans": [span], "dropped": 0}), ""))
    (found,) = cluster.spans("r1")
    assert (found.trace_id, found.kind) == ("a", "CLIENT")


def test_dropped_spans_void_everything(machine: Machine, cluster: ClusterMesh) -> None:
    machine.fail("stats?format=json", tracer(5, dropped=2))
    with pytest.raises(MeshproofError, match="dropped 2 reports"):
        cluster.spans("r1")


def test_curl_tells_a_closed_connection_from_a_refusal(
    cluster: ClusterMesh, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "now", lambda: "2026-11-23T17:55:25.000Z")
    answers.stats(EMPTY)
    answers.request(error="Remote end closed connection without response", closed=True)
    answers.log(BLOCKED)
    answer = cluster.curl("svcb-v0.1", "http://10.100.35.27:9997/send")
    assert answer.status == 0
    assert "ServiceEntry" in answer.refused_by


def test_curl_does_not_call_every_end_a_refusal(cluster: ClusterMesh, answers: Answers) -> None:
    answers.stats(EMPTY)
    answers.request(error="Remote end closed connection without response", closed=True)
    answers.log(CALL)
    with pytest.raises(MeshproofError, match="closed connection"):
        cluster.curl("svcb-v0.1", "http://svcb/notify")


def test_curl_brings_back_what_came(cluster: ClusterMesh, answers: Answers) -> None:
    answers.request(status=502, headers=[["server", "envoy"]], body="eA==")
    answer = cluster.curl("svca", "http://svcb/notify", headers=[("x-run-id", "r1")])
    assert (answer.status, answer.body, answer.refused_by) == (502, b"x", "")


def test_the_script_reads_its_orders_and_says_json() -> None:
    import subprocess
    import sys

    orders = pod_request.encode_request("http://127.0.0.1:1/", "GET", [("x-a", "b")], b"", 2.0)
    done = subprocess.run(
        [sys.executable, "-c", pod_request.SCRIPT], input=orders, capture_output=True, check=True
    )
    sent = pod_request.parse_response(done.stdout)
    assert sent.answer is None
    assert "refused" in sent.error
    assert not sent.closed


def test_exec_hands_on_the_commands_own_code(machine: Machine, cluster: ClusterMesh) -> None:
    machine.fail("-- sh", recorded("kubectl", "the command's own exit code"))
    done = cluster.exec("svca", ["sh", "-c", "exit 7"])
    assert (done.code, done.stderr) == (7, b"")
    machine.fail("-- true", recorded("kubectl", "no such workload"))
    with pytest.raises(MeshproofError, match="NotFound"):
        cluster.exec("svca", ["true"])
    with pytest.raises(UsageError, match="no workload nobody"):
        cluster.exec("nobody", ["true"])


def test_metrics_say_of_which_pod_they_are() -> None:
    text = '# TYPE istio_requests_total counter\nistio_requests_total{a="b"} 3\nup 1\n'
    merged = prometheus.merged({"svca-0": text, "svcb-0": text})
    assert merged.count("# TYPE") == 1
    assert 'istio_requests_total{pod="svcb-0",a="b"} 3' in merged
    assert 'up{pod="svca-0"} 1' in merged


def test_a_dump_goes_on_where_one_pod_says_nothing(
    machine: Machine, cluster: ClusterMesh, tmp_path: Any
) -> None:
    machine.fail("logs svca-0", (1, "", "Error from server: no such container\n"))
    cluster.dump(tmp_path / "dump")
    names = {p.name for p in (tmp_path / "dump").iterdir()}
    assert "payments.svca-0.error.txt" in names
    assert "payments.svcb-v0.1-0.config.json" in names
    assert "VirtualService payments/pay" in (tmp_path / "dump" / "resources.txt").read_text()


def test_a_traces_lines_are_joined_from_every_pod_and_host(
    machine: Machine, cluster: ClusterMesh, answers: Answers
) -> None:
    answers.stats(EMPTY)
    said = {"trace_id": "ab12", "time": "2026-11-23T17:55:25.640+00:00", "ms": 5.0}
    proxy = {**CALL, "trace_id": "ab12", "duration_ms": 9}
    machine.fail("logs svcb-v0.1-0 -c svcb", (0, json.dumps(said) + "\n", ""))
    machine.fail("logs svcb-v0.1-0 -c istio-proxy", (0, "info\n" + json.dumps(proxy) + "\n", ""))
    machine.fail("docker logs", (0, json.dumps({**said, "ms": 1.0}) + "\n", ""))
    found = cluster.joined_logs(trace_id="ab12")
    assert [(line.writer, line.part) for line in found] == [
        ("svcb-v0.1-0", "sidecar"), ("svcb-v0.1-0", "app"), ("msgd.test", "app"),
    ]  # fmt: skip
    assert cluster.joined_logs(trace_id="cd34") == []
