"""Requests, commands, dumps and logs of a mesh that is up."""

from __future__ import annotations

import json
from typing import Any

import pytest

from meshproof.cluster import evidence
from meshproof.cluster.mesh import ClusterMesh
from meshproof.errors import MeshproofError, UsageError
from meshproof.mesh import Source
from tests.fakes.cluster_machine import Machine, recorded
from tests.fakes.sidecar import BLOCKED, CALL, FLUSHED, PodOutput


def test_lines_of_several_pods_say_whose_they_are(
    cluster: ClusterMesh, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine.kube, "log", lambda _ns, pod: f"one of {pod}\ntwo\n")
    assert cluster.named_logs("svca") == "one of svca-0\ntwo\n"
    cluster.scale("svca", 2)
    assert cluster.named_logs("svca").splitlines() == [
        "svca-0 | one of svca-0", "svca-0 | two", "svca-1 | one of svca-1", "svca-1 | two",
    ]  # fmt: skip


def test_curl_tells_a_closed_connection_from_a_refusal(
    cluster: ClusterMesh, pod_output: PodOutput, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "now", lambda: "2026-11-23T17:55:25.000Z")
    pod_output.stats(FLUSHED)
    pod_output.response(error="Remote end closed connection without response", closed=True)
    pod_output.log(BLOCKED)
    answer = cluster.curl("svcb-v0.1", "http://10.100.35.27:9997/send")
    assert answer.status == 0
    assert "ServiceEntry" in answer.refused_by


def test_curl_waits_until_a_refusal_is_logged(
    machine: Machine,
    cluster: ClusterMesh,
    pod_output: PodOutput,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The app sees the end of the connection before Envoy logs it."""
    monkeypatch.setattr("meshproof.cluster.queries.LOGGED_WITHIN", 60.0)
    monkeypatch.setattr(evidence, "now", lambda: "2026-11-23T17:55:25.000Z")
    pod_output.stats(FLUSHED)
    pod_output.response(error="Remote end closed connection without response", closed=True)
    machine.fail("logs svcb-v0.1-0", (0, "", ""), times=2)
    pod_output.log(BLOCKED)
    assert cluster.curl("svcb-v0.1", "http://10.100.35.27:9997/send").refused_by


def test_curl_does_not_call_every_end_a_refusal(
    cluster: ClusterMesh, pod_output: PodOutput
) -> None:
    pod_output.stats(FLUSHED)
    pod_output.response(error="Remote end closed connection without response", closed=True)
    pod_output.log(CALL)
    with pytest.raises(MeshproofError, match="closed connection"):
        cluster.curl("svcb-v0.1", "http://svcb/notify")


def test_curl_brings_back_what_came(cluster: ClusterMesh, pod_output: PodOutput) -> None:
    pod_output.response(status=502, headers=[["server", "envoy"]], body="eA==")
    answer = cluster.curl("svca", "http://svcb/notify", headers=[("x-run-id", "r1")])
    assert (answer.status, answer.body, answer.refused_by) == (502, b"x", "")


def test_exec_hands_on_the_commands_own_code(machine: Machine, cluster: ClusterMesh) -> None:
    machine.fail("-- sh", recorded("kubectl", "the command's own exit code"))
    done = cluster.exec("svca", ["sh", "-c", "exit 7"])
    assert (done.code, done.stderr) == (7, b"")
    machine.fail("-- true", recorded("kubectl", "no such workload"))
    with pytest.raises(MeshproofError, match="NotFound"):
        cluster.exec("svca", ["true"])
    with pytest.raises(UsageError, match="no workload nobody"):
        cluster.exec("nobody", ["true"])


def test_a_dump_goes_on_where_one_pod_says_nothing(
    machine: Machine, cluster: ClusterMesh, tmp_path: Any
) -> None:
    machine.fail("logs svca-0", (1, "", "Error from server: no such container\n"))
    cluster.dump(tmp_path / "dump")
    names = {p.name for p in (tmp_path / "dump").iterdir()}
    assert "payments.svca-0.error.txt" in names
    assert "payments.svcb-v0.1-0.config.json" in names
    assert "VirtualService payments/pay" in (tmp_path / "dump" / "resources.txt").read_text()


SECRET = """
apiVersion: v1
kind: Secret
metadata: {name: word, namespace: payments}
data: {word: b3Blbi1zZXNhbWU=}
"""


def test_a_dump_shows_no_secret_that_an_app_has_logged(
    machine: Machine, cluster: ClusterMesh, tmp_path: Any
) -> None:
    cluster.apply([Source("word.yaml", SECRET)])
    machine.fail("logs svca-0 -c svca", (0, "my word is open-sesame, b3Blbi1zZXNhbWU=\n", ""))
    cluster.dump(tmp_path / "dump")
    log = (tmp_path / "dump" / "payments.svca-0.log").read_text()
    assert log == "my word is [redacted], [redacted]\n"


def test_a_traces_lines_are_joined_from_every_pod_and_host(
    machine: Machine, cluster: ClusterMesh, pod_output: PodOutput
) -> None:
    pod_output.stats(FLUSHED)
    record = {"trace_id": "ab12", "time": "2026-11-23T17:55:25.640+00:00", "ms": 5.0}
    proxy = {**CALL, "trace_id": "ab12", "duration_ms": 9}
    machine.fail("logs svcb-v0.1-0 -c svcb", (0, json.dumps(record) + "\n", ""))
    machine.fail("logs svcb-v0.1-0 -c istio-proxy", (0, "info\n" + json.dumps(proxy) + "\n", ""))
    machine.fail("docker logs", (0, json.dumps({**record, "ms": 1.0}) + "\n", ""))
    lines = cluster.joined_logs(trace_id="ab12")
    assert [(line.writer, line.part) for line in lines] == [
        ("svcb-v0.1-0", "sidecar"), ("svcb-v0.1-0", "app"), ("msgd.test", "app"),
    ]  # fmt: skip
    assert lines[0].entry["direction"] == "inbound"
    assert "direction" not in lines[1].entry
    assert cluster.joined_logs(trace_id="cd34") == []


def test_the_status_names_the_gateway_and_where_it_is_reached(
    machine: Machine, cluster: ClusterMesh
) -> None:
    (gateway,) = cluster.status().gateways
    assert (gateway.namespace, gateway.workload) == ("istio-system", "istio-ingressgateway")
    assert gateway.ready
    assert gateway.ports == {80: cluster.url("gateway").removeprefix("http://")}
