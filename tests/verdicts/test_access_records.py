"""Which run a call belongs to, and who answered it, by access log records alone."""

from __future__ import annotations

import pytest

from meshproof.mesh import AccessRecord, ReplicaStatus
from meshproof.verdicts.access_records import (
    UNKNOWN,
    ResponderBy,
    calls_to,
    records_of_run,
    same_host,
    sample,
)

V1 = ReplicaStatus("b1", "back-v1", "d", {"app": "back", "version": "v1"}, True, 0, "127.0.0.3")
V2 = ReplicaStatus("b2", "back-v2", "d", {"app": "back", "version": "v2"}, True, 0, "127.0.0.4")
RESPONDERS = ResponderBy([V1, V2])


def record(
    *,
    direction: str = "outbound",
    code: int = 200,
    cluster: str = "outbound|80|s1|back.d.svc.cluster.local",
    to: str = "127.0.0.3:8080",
    authority: str = "back",
    at: str = "1",
    run: str = "r",
    trace: str = "t",
    request: str = "q",
) -> AccessRecord:
    return AccessRecord(
        "front", direction, at, "GET", "/", authority, code, "-", "", 1, cluster, to, "", request,
        trace, run,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("back", "back", True),
        ("back:80", "back", True),
        ("back.d.svc.cluster.local", "back", True),
        ("back.d.svc", "back.d.svc.cluster.local", True),
        ("msgd.test", "msgd", False),
        ("back.d.svc.cluster.local:80", "back.d", True),
        ("BACK", "back", True),
        ("backup", "back", False),
        ("back.d", "back.e", False),
        ("msgd.test.evil", "msgd.test", False),
        ("", "back", False),
        ("", "", False),
    ],
)
def test_one_host_has_several_names(one: str, other: str, same: bool) -> None:
    assert same_host(one, other) is same
    assert same_host(other, one) is same


def test_calls_are_the_callers_records_in_order_of_sending() -> None:
    late, early = record(at="2"), record(at="1", authority="x", direction="gateway")
    others = [record(direction="inbound"), record(authority="x", cluster="outbound|80||x.d")]
    assert calls_to("back", [late, early, *others]) == [early, late]


def test_a_refused_call_is_known_by_its_authority() -> None:
    refused = record(code=502, cluster="", to="")
    assert calls_to("back", [refused]) == [refused]


def test_records_belong_by_run_trace_or_request() -> None:
    own = record()
    traced, same_request = record(run="", request="other"), record(run="", trace="other")
    others = record(run="", trace="x", request="x"), record(run="r2")
    assert records_of_run("r", [own, traced, same_request, *others]) == [own, traced, same_request]


def test_nothing_empty_joins_records() -> None:
    assert records_of_run(
        "r", [record(trace="", request=""), record(run="", trace="", request="")]
    ) == [record(trace="", request="")]


@pytest.mark.parametrize(
    ("key", "name"),
    [("workload", "back-v2"), ("version", "v2"), ("subset", "s1"), ("host", "back")],
)
def test_responders_are_told_apart_by_a_key(key: str, name: str) -> None:
    assert RESPONDERS.responder(key)(record(to="127.0.0.4:8080")) == name


def test_an_address_that_is_nobodys_is_somebody_else() -> None:
    assert RESPONDERS.responder("version")(record(to="127.9.9.9:80")) == UNKNOWN


@pytest.mark.parametrize(
    ("names", "key"),
    [(["back-v1", "back-v2"], "workload"), (["v1", "v2"], "version"), (["a", "v1"], "subset")],
)
def test_the_key_follows_the_names(names: list[str], key: str) -> None:
    assert RESPONDERS.key_for(names) == key


def test_a_sample_counts_failures_and_misses_nothing() -> None:
    calls = [record(), record(to="127.0.0.4:1"), record(code=503), record(code=0, to="")]
    result = sample(calls, RESPONDERS.responder("version"), 5)
    assert (dict(result.counts), result.failed, result.sent) == ({"v1": 1, "v2": 1}, 2, 5)
    assert result.sequence == ("v1", "v2")
    assert any("unaccounted" in problem for problem in result.problems(2))
