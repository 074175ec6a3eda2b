"""Failed requests, at their sender and in access logs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from meshproof.mesh import AccessRecord
from meshproof.traffic.record import Record
from meshproof.verdicts.requests import failure, no_failures

GOOD = Record(1.0, 0.01, 200, version="v0.1")
LOGGED = AccessRecord(
    "svca", "outbound", "", "GET", "/notify", "svcb", 200, "-", "", 3, "c", "127.1.1.1:80",
    "", "", "", "run",
)  # fmt: skip


def good(n: int) -> list[Record]:
    return [GOOD] * n


def test_all_good_passes() -> None:
    verdict = no_failures("ok", good(5), [LOGGED], sent=5).require()
    assert verdict.counts == {"sent": 5, "failed": 0, "log_records": 1, "log_5xx": 0}


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (replace(GOOD, status=503), "status 503"),
        (replace(GOOD, status=0, error="connection refused"), "connection refused"),
        (replace(GOOD, error="the body is not JSON"), "the body is not JSON"),
    ],
)
def test_one_failed_request_fails(bad: Record, why: str) -> None:
    assert [failure(GOOD), failure(bad)] == ["", why]
    assert why in no_failures("bad", [*good(4), bad], [LOGGED], sent=5).sentence


@pytest.mark.parametrize(("code", "flags"), [(503, "UF"), (500, "-"), (0, "DC")])
def test_a_failure_in_any_access_log_fails(code: int, flags: str) -> None:
    hidden = replace(LOGGED, code=code, flags=flags)
    verdict = no_failures("hidden", good(2), [LOGGED, hidden], sent=2)
    assert f"1 x svca outbound {code} {flags}" in verdict.sentence


def test_an_answer_that_broke_off_fails_whatever_its_code() -> None:
    details = "upstream_reset_after_response_started{connection_termination}"
    half = replace(LOGGED, flags="UC", details=details)
    verdict = no_failures("half", good(2), [LOGGED, half], sent=2)
    assert "1 x svca outbound 200 UC broke off" in verdict.sentence


def test_no_requests_no_logs_and_lost_requests_fail() -> None:
    assert not no_failures("none", [], [LOGGED], sent=0).passed
    assert "no sidecar logged" in no_failures("blind", good(1), [], sent=1).sentence
    assert "3 requests were sent" in no_failures("lost", good(2), [LOGGED], sent=3).sentence


def test_a_request_that_was_silently_repeated_fails() -> None:
    entered = replace(LOGGED, direction="gateway")
    assert no_failures("once", good(2), [entered] * 2, sent=2).passed
    twice = no_failures("twice", good(2), [entered] * 3, sent=2)
    assert "2 requests were sent and 3 entered" in twice.sentence


def test_an_app_may_say_what_failed() -> None:
    slow = replace(GOOD, elapsed=2.0)
    verdict = no_failures(
        "own", [GOOD, slow], [LOGGED], sent=2, why=lambda r: "too slow" if r.elapsed > 1 else ""
    )
    assert "1 requests failed: 1 x too slow" in verdict.sentence
