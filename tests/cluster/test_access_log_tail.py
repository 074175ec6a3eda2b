"""What callers have logged since the last reading, for a release's judge."""

from __future__ import annotations

import json

import pytest
import yaml

from meshproof.cluster.mesh import ClusterMesh
from meshproof.control.routes.release import SupportsRelease
from meshproof.errors import UsageError
from meshproof.mesh import Capability
from tests.fakes.cluster_machine import ROOT, Machine
from tests.fakes.sidecar import CALL, FLUSHED, PodOutput

HOST = "svcb.payments.svc.cluster.local"


def call(number: int, subset: str = "v0-2", host: str = HOST) -> str:
    cluster = f"outbound|80|{subset}|{host}"
    return json.dumps({**CALL, "upstream_cluster": cluster, "path": f"/{number}"}) + "\n"


def test_each_call_is_read_once(
    machine: Machine, cluster: ClusterMesh, pod_output: PodOutput
) -> None:
    assert isinstance(cluster, SupportsRelease)
    assert Capability.RELEASE in cluster.capabilities
    pod_output.stats(FLUSHED)
    agents = "2026-11-23T17:55:21.642389Z\tinfo\tEnvoy proxy is ready\n"
    logs = [agents + call(1)]
    logs.append(logs[0] + call(2, host="other.payments.svc.cluster.local") + call(3) + call(4)[:30])
    logs.append(logs[1] + call(4)[30:])
    for log in logs:
        machine.fail("logs svca-0 -c istio-proxy", (0, log, ""), times=1)
    now = cluster.tail(HOST, "now")
    assert now.records == ()
    first = cluster.tail(HOST, now.cursor)
    assert [(r.path, r.sidecar, r.direction) for r in first.records] == [
        ("/3", "svca-0", "outbound")
    ]
    second = cluster.tail(HOST, first.cursor)
    assert [r.path for r in second.records] == ["/4"], "a line that was half written is whole now"
    with pytest.raises(UsageError, match="wanted one that an earlier answer gave"):
        cluster.tail(HOST, '{"a": "b"}')


def test_the_rules_in_force_are_those_of_istio_alone(cluster: ClusterMesh) -> None:
    cluster.apply([ROOT / "rules" / "svcb_v0_1_90_v0_2_10.yaml"])
    kinds = {d["kind"] for d in yaml.safe_load_all(cluster.rules())}
    assert kinds == {"VirtualService", "DestinationRule", "Gateway"}
