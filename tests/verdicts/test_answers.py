"""Allowed and blocked: the caller's word and the sidecars' must agree."""

from __future__ import annotations

import pytest

from meshproof.mesh import AccessRecord, Answer
from meshproof.verdicts.answers import blocked, reached, status
from meshproof.verdicts.counts import zero_share
from meshproof.verdicts.sample import Sample

N = 3


def answers(code: int, n: int = N) -> list[Answer]:
    return [Answer(code, (), b"said", 0.1) for _ in range(n)]


def log(direction: str, code: int, to: str, n: int = N, host: str = "svcb") -> list[AccessRecord]:
    return [
        AccessRecord(
            "s", direction, "1", "GET", "/", host, code, "-", "", 1, "", to, "", f"q{i}", "", "r"
        )
        for i in range(n)
    ]  # fmt: skip


THROUGH = [*log("outbound", 200, "a:1"), *log("inbound", 200, "b:1")]
STOPPED = [*log("outbound", 403, "a:1"), *log("inbound", 403, "")]
CLOSED = log("outbound", 502, "", host="msgd.test")
OUT = log("outbound", 200, "c:1", host="msgd.test")


def test_the_servers_sidecar_has_the_last_word() -> None:
    assert len(reached("svcb", THROUGH)) == N
    assert reached("svcb", STOPPED) == set()
    assert reached("msgd.test", CLOSED) == set()
    assert len(reached("msgd.test", OUT)) == N
    assert len(reached("", THROUGH)) == N


@pytest.mark.parametrize(
    ("code", "records", "host"), [(403, STOPPED, "svcb"), (502, CLOSED, "msgd.test")]
)
def test_blocked(code: int, records: list[AccessRecord], host: str) -> None:
    passed = blocked("b", answers(code), records, target=host)
    assert passed.passed
    assert "none" in str(passed.figures["control"])


@pytest.mark.parametrize(
    ("verdict", "why"),
    [
        (blocked("b", answers(200), THROUGH, target="svcb"), "3 of 3 requests reached svcb"),
        (blocked("b", answers(403), THROUGH, target="svcb"), "3 of 3 requests reached svcb"),
        (blocked("b", answers(200), STOPPED, target="svcb"), "not every request was answered"),
        (blocked("b", answers(503), STOPPED, target="svcb"), "3 x 503 (said)"),
        (blocked("b", answers(0), STOPPED, target="svcb"), "3 x no answer"),
        (blocked("b", answers(403), [], target="svcb"), "no evidence"),
        (blocked("b", answers(403), log("inbound", 403, "", 2), target="svcb"), "2 of 3 requests"),
        (blocked("b", [], [], target="svcb"), "no evidence: nothing was observed"),
        (blocked("b", answers(502), CLOSED, target="msgd.test", arrived=1), "1 requests arrived"),
        (blocked("b", answers(403), STOPPED, target="svcb", statuses=[401]), "answered 401"),
    ],
)
def test_what_is_not_blocked(verdict: object, why: str) -> None:
    assert not verdict.passed  # type: ignore[attr-defined]
    assert why in "; ".join(verdict.problems)  # type: ignore[attr-defined]


def test_a_control_that_failed_proves_nothing() -> None:
    control = status("control: c", answers(503), STOPPED, 200)
    verdict = blocked("b", answers(403), STOPPED, target="svcb", control=control)
    assert "the positive control did not pass" in verdict.problems[-1]
    good = zero_share("control: z", Sample({"a": 690}, 0, 690), "b")
    verdict = blocked("b", answers(403), STOPPED, target="svcb", control=good)
    assert verdict.passed
    assert verdict.figures["control"] == "z, n=690"


def test_allowed() -> None:
    assert status("a", answers(200), THROUGH, 200, target="svcb", through=True, arrived=N).passed
    assert status("a", answers(418), log("outbound", 418, ""), 418).passed


@pytest.mark.parametrize(
    ("code", "records", "arrived", "why"),
    [
        (403, STOPPED, None, "not every request was answered 200"),
        (200, STOPPED, None, "0 of 3 requests reached svcb"),
        (200, THROUGH, 2, "2 of 3 requests arrived at svcb"),
        (200, [], None, "no evidence"),
    ],
)
def test_what_is_not_allowed(
    code: int, records: list[AccessRecord], arrived: int | None, why: str
) -> None:
    verdict = status("a", answers(code), records, 200, target="svcb", through=True, arrived=arrived)
    assert why in "; ".join(verdict.problems)


def test_a_connection_that_the_sidecar_closed_is_blocked() -> None:
    closed = [Answer(0, (), b"", 0.1, refused_by="no rule opens it") for _ in range(N)]
    assert blocked("b", closed, [], target="msgd.test").passed
    unexplained = [Answer(0, (), b"", 0.1) for _ in range(N)]
    assert "no answer" in blocked("b", unexplained, [], target="msgd.test").sentence
    assert not blocked("b", closed, [], target="msgd.test", statuses={403}).passed
    assert not blocked("b", closed, OUT, target="msgd.test").passed
