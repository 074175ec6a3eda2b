"""Which rule refused a request, by the sidecars' own logs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from meshproof.embedded.refusals import RATE_LIMITED, RBAC_DENIED, explain_refusal, may_be_refused
from meshproof.mesh import AccessRecord, Answer

ID = "7f3c0e5e-1111-4222-8333-444455556666"
RECORD = AccessRecord(
    "svcb-1", "inbound", "", "GET", "/", "svcb", 403, "-", "", 1, "", "", "default", ID, "", ""
)

OVERFLOW = b"upstream connect error or disconnect/reset before headers. reset reason: overflow"


def _answer(status: int, body: bytes = b"") -> Answer:
    return Answer(status, (), body, 0.01)


def _why(answer: Answer, **fields: Any) -> str:
    return explain_refusal(answer, [replace(RECORD, **fields)], ID, "http://svcb/", "svca")


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, b"", False),
        (403, b"the app's own", False),
        (403, RBAC_DENIED, True),
        (401, b"Jwt is expired", True),
        (502, b"", True),
        (502, b"an app's", False),
        (429, RATE_LIMITED, True),
        (429, b"the app's own", False),
        (503, OVERFLOW, True),
        (503, b"no healthy upstream", False),
    ],
)
def test_when_logs_are_read_at_all(status: int, body: bytes, expected: bool) -> None:
    assert may_be_refused(_answer(status, body)) is expected


def test_no_rule_opens_the_host() -> None:
    assert "no rule opens http://svcb/ for svca" in _why(_answer(502), route="block_all")


def test_a_policy_is_named_with_its_rule() -> None:
    details = "rbac_access_denied_matched_policy[ns[a]-policy[p]-rule[2]]"
    message = _why(_answer(403, RBAC_DENIED), details=details)
    assert message == "AuthorizationPolicy a/p (spec.rules[2]) denies it at svcb-1"


def test_no_policy_that_lets_it_in() -> None:
    details = "rbac_access_denied_matched_policy[none]"
    assert "no AuthorizationPolicy lets this in" in _why(_answer(403, RBAC_DENIED), details=details)


def test_a_token() -> None:
    details = "jwt_authn_access_denied{Jwt_is_expired}"
    assert "Jwt is expired" in _why(_answer(401, b"Jwt is expired"), details=details)


def test_limits() -> None:
    message = _why(_answer(429, RATE_LIMITED), details="local_rate_limited", flags="RL")
    assert message == "the bucket of a local rate limit (EnvoyFilter) at svcb-1 is empty"
    full = {"flags": "UO", "upstream_cluster": "outbound|80||svcb.payments.svc.cluster.local"}
    message = _why(_answer(503, OVERFLOW), **full)
    assert message.startswith("svcb-1 has as much in flight to outbound|80||svcb.payments.svc")
    assert _why(_answer(503, OVERFLOW), flags="UF") == ""


def test_an_app_s_own_word_and_another_s_request_are_not_explained() -> None:
    assert _why(_answer(401, b"who are you?"), details="via_upstream") == ""
    details = "rbac_access_denied_matched_policy[none]"
    assert _why(_answer(403, RBAC_DENIED), details=details, request_id="other" + ID[5:]) == ""
