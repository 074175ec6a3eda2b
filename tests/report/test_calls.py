"""Who called whom, by access logs."""

from __future__ import annotations

from typing import Any

from meshproof.mesh import AccessRecord, ReplicaStatus
from meshproof.report.calls import CLOSED, Call, summarize_calls


def _record(**other: Any) -> AccessRecord:
    usual: dict[str, Any] = {
        "sidecar": "svca-aaaaa-1", "direction": "outbound", "time": "", "method": "GET",
        "path": "/", "authority": "svcb", "code": 200, "flags": "-", "details": "",
        "duration_ms": 3, "upstream_cluster": "outbound|80|v2|svcb.shop.svc.cluster.local",
        "upstream_host": "127.1.0.2:8080", "route": "", "request_id": "", "trace_id": "",
        "run_id": "",
    }  # fmt: skip
    return AccessRecord(**{**usual, **other})


def _replica(name: str, workload: str, address: str) -> ReplicaStatus:
    return ReplicaStatus(name, workload, "shop", {}, True, 0, address)


REPLICAS = [
    _replica("svca-aaaaa-1", "svca", "127.1.0.1"),
    _replica("svcb-v2-bbbbb-1", "svcb-v2", "127.1.0.2"),
]


def test_callers_and_who_answered_are_workloads() -> None:
    records = [
        _record(duration_ms=ms, code=code) for ms, code in [(1, 200), (9, 503), (5, 0), (2, 404)]
    ]
    records.append(_record(direction="inbound"))
    assert summarize_calls(records, REPLICAS) == [Call("svca", "svcb-v2", False, 4, 2, 2.0, 9.0)]


def test_the_gateway_outside_and_what_is_closed_have_names() -> None:
    calls = summarize_calls(
        [
            _record(direction="gateway", sidecar="istio-ingressgateway"),
            _record(upstream_cluster="outbound|9997||msgd.test", upstream_host="127.0.0.1:1"),
            _record(upstream_cluster="-", upstream_host="-", code=502),
        ],
        REPLICAS,
    )
    assert [(one.source, one.target, one.outside) for one in calls] == [
        ("gateway", "svcb-v2", False), ("svca", CLOSED, True), ("svca", "msgd.test", True),
    ]  # fmt: skip


def test_replicas_that_have_gone_are_named_by_what_is_left() -> None:
    calls = summarize_calls(
        [_record(sidecar="cart-0a1b2-7", upstream_host="127.9.9.9:80")], REPLICAS
    )
    assert [(one.source, one.target) for one in calls] == [("cart", "svcb v2")]
