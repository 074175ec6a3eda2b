"""What counts as the same answer, and what does not."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.compare import differences

EXPECT: dict[str, Any] = {
    "status": 200,
    "app": "echo",
    "path": "/a",
    "host": "echo",
    "received": {"x-envoy-attempt-count": "1"},
    "seconds_at_most": 1.0,
}


def answer(**changes: Any) -> dict[str, Any]:
    headers = {"host": "echo", "x-envoy-attempt-count": "1", **changes.pop("headers", {})}
    echo = {"app": "echo", "version": "v1", "path": "/a", "headers": headers}
    return {"status": 200, "seconds": 0.1, "echo": {**echo, **changes.pop("echo", {})}, **changes}


def test_the_same_answer_agrees_whatever_is_not_expected() -> None:
    assert differences("c", EXPECT, answer(headers={"x-more": "1"}, echo={"version": "v2"})) == []


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"status": 503}, "status"),
        ({"echo": {"app": "other"}}, "app"),
        ({"echo": {"path": "/b"}}, "path"),
        ({"headers": {"host": "x"}}, "host"),
        ({"headers": {"x-envoy-attempt-count": "3"}}, "received x-envoy-attempt-count"),
        ({"seconds": 1.1}, "seconds"),
    ],
)
def test_one_field_that_differs_is_named(changed: dict[str, Any], field: str) -> None:
    (difference,) = differences("c", EXPECT, answer(**changed))
    assert difference.startswith(f"{field}: is ")


def test_a_body_of_the_mesh_is_compared_and_an_app_s_answer_is_no_body() -> None:
    expect = {"status": 403, "body": "RBAC: access denied"}
    assert differences("c", expect, {"status": 403, "body": "RBAC: access denied"}) == []
    assert differences("c", expect, {"status": 403, "body": ""}) != []
    assert differences("c", {"status": 502, "body": ""}, answer(status=502)) != []


def test_a_closed_connection_is_status_0_with_its_error() -> None:
    expect = {"status": 0, "error": "RemoteDisconnected"}
    assert differences("c", expect, {"status": 0, "error": "RemoteDisconnected"}) == []
    assert len(differences("c", expect, answer())) == 2


@pytest.mark.parametrize("error", ["ConnectionResetError", "BrokenPipeError"])
def test_python_s_word_for_a_closed_connection_is_a_matter_of_moments(error: str) -> None:
    expect = {"status": 0, "error": "RemoteDisconnected"}
    assert differences("c", expect, {"status": 0, "error": error}) == []
    for other in ("gaierror", "TimeoutError", "ConnectionRefusedError"):
        assert len(differences("c", expect, {"status": 0, "error": other})) == 1
        assert len(differences("c", {"status": 0, "error": other}, {"status": 0, "error": error}))


def test_recorded_response_headers_are_all_there_are() -> None:
    expect = {"status": 301, "response_headers": {"location": "http://a/"}}
    same = {"location": "http://a/", "x-envoy-upstream-service-time": "1", "date": "now"}
    assert differences("c", expect, {"status": 301, "response_headers": same}) == []
    more = {**same, "x-more": "1"}
    assert len(differences("c", expect, {"status": 301, "response_headers": more})) == 1


@pytest.mark.parametrize(("v1", "same"), [(100, True), (120, True), (160, False), (200, False)])
def test_shares_agree_within_sampling_error(v1: int, same: bool) -> None:
    expect = {"statuses": {"200": 200}, "versions": {"v1": 107, "v2": 93}}
    got = {"statuses": {"200": 200}, "versions": {"v1": v1, "v2": 200 - v1}}
    assert (differences("c", expect, got) == []) is same


def test_all_or_nothing_is_exact() -> None:
    expect = {"statuses": {"200": 40}, "versions": {"v1": 40}}
    got = {"statuses": {"200": 40}, "versions": {"v1": 39, "v2": 1}}
    assert len(differences("c", expect, got)) == 2


def test_a_sticky_case_wants_one_version_whichever() -> None:
    expect = {"statuses": {"200": 20}, "versions": {"v2": 20}}
    one = {"statuses": {"200": 20}, "versions": {"v1": 20}}
    two = {"statuses": {"200": 20}, "versions": {"v1": 19, "v2": 1}}
    assert differences("dr-sticky-cookie", expect, one) == []
    assert differences("dr-sticky-cookie", expect, two) != []


def test_overflow_wants_the_same_statuses_and_no_counts() -> None:
    expect = {"statuses": {"200": 3, "503": 17}}
    assert differences("dr-overflow", expect, {"statuses": {"200": 9, "503": 11}}) == []
    assert differences("dr-overflow", expect, {"statuses": {"200": 20}}) != []


def test_an_ejection_may_come_sooner_but_not_before_every_version_failed() -> None:
    expect = {"statuses": {"500": 12}, "versions": {"v1": 10, "v2": 2}}
    soon = {"statuses": {"500": 4, "503": 8}, "versions": {"v1": 2, "v2": 2, "-": 8}}
    never = {"statuses": {"500": 12}, "versions": {"v1": 12}}
    assert differences("dr-outlier", expect, soon) == []
    assert differences("dr-outlier", expect, never) != []
