"""Paths of policies that no request can have."""

from __future__ import annotations

from tests.lint.findings import authorization_policy, findings_of


def test_a_path_that_no_request_has() -> None:
    (problem,) = findings_of(
        authorization_policy(paths='["/a", "admin"]'), "policy-path-impossible"
    )
    assert problem.field == "spec.rules[0].to[0].operation.paths[1]"
    assert problem.remedy == "write /admin"


def test_a_star_inside_is_a_letter_like_others() -> None:
    (problem,) = findings_of(
        authorization_policy(paths='["/a*b", "/dex/{**}"]'), "policy-path-impossible"
    )
    assert problem.field == "spec.rules[0].to[0].operation.paths[0]"
    assert "takes the * inside as it is" in problem.found


def test_paths_that_requests_have() -> None:
    assert (
        findings_of(
            authorization_policy(paths='["/a*", "*.html", "*", "/"]'), "policy-path-impossible"
        )
        == []
    )
