"""Requests after rewriting, and the Location of redirects."""

from __future__ import annotations

from typing import Any

import pytest

from meshproof.explain.redirects import redirect_location
from meshproof.explain.request import Request
from meshproof.explain.rewriting import (
    apply_headers,
    rewrite_path,
    rewrite_request,
    with_originals,
)

REQUEST = Request("GET", "http", "svcb:80", "/a/b?q=1", (("x-one", "1"), ("x-two", "2")))


@pytest.mark.parametrize(
    ("action", "match", "path"),
    [
        ({}, {"prefix": "/a"}, "/a/b?q=1"),
        ({"prefix_rewrite": "/new"}, {"prefix": "/a"}, "/new/b?q=1"),
        ({"prefix_rewrite": "/"}, {"prefix": "/a"}, "//b?q=1"),
        ({"prefix_rewrite": "/new"}, {"path_separated_prefix": "/a"}, "/new/b?q=1"),
        ({"prefix_rewrite": "/new"}, {"path": "/a/b"}, "/new?q=1"),
        ({"prefix_rewrite": "/new"}, {"safe_regex": {"regex": "/a.*"}}, "/new?q=1"),
        (
            {"regex_rewrite": {"pattern": {"regex": "^/a(/?)(.*)"}, "substitution": r"/\2"}},
            {"prefix": "/a"},
            "/b?q=1",
        ),
    ],
)
def test_paths(action: dict[str, Any], match: dict[str, Any], path: str) -> None:
    assert rewrite_path(action, match, REQUEST.path) == path


def test_headers_are_removed_then_set_then_added() -> None:
    level = {
        "request_headers_to_remove": ["x-two"],
        "request_headers_to_add": [
            {
                "header": {"key": "X-One", "value": "%REQ(x-two)%"},
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            },
            {"header": {"key": "x-one", "value": "3"}},
        ],
    }
    result = apply_headers(REQUEST, level)
    assert (result.get("x-one"), result.get("x-two")) == ("2,3", None)


def test_a_value_that_is_empty_changes_nothing() -> None:
    header = {"key": "x-one", "value": "%REQ(x-none)%"}
    for action in ("OVERWRITE_IF_EXISTS_OR_ADD", "APPEND_IF_EXISTS_OR_ADD"):
        level = {"request_headers_to_add": [{"header": header, "append_action": action}]}
        assert apply_headers(REQUEST, level) == REQUEST


@pytest.mark.parametrize(
    ("action", "level", "path", "host"),
    [
        ({}, {}, None, None),
        ({"prefix_rewrite": "/n"}, {}, "/a/b?q=1", None),
        ({"regex_rewrite": {}}, {}, "/a/b?q=1", None),
        ({"host_rewrite_literal": "h"}, {}, None, "svcb:80"),
        ({}, {"host_rewrite_literal": "h"}, None, "svcb:80"),
    ],
)
def test_the_next_hop_is_told_what_was_rewritten(
    action: dict[str, Any], level: dict[str, Any], path: str | None, host: str | None
) -> None:
    result = with_originals(REQUEST, REQUEST, [level], action)
    originals = (result.get("x-envoy-original-path"), result.get("x-envoy-original-host"))
    assert originals == (path, host)


def test_the_route_s_host_wins_over_a_destination_s() -> None:
    narrow = {"host_rewrite_literal": "narrow"}
    assert rewrite_request(REQUEST, [narrow], {}, {"prefix": "/"}).authority == "narrow"
    result = rewrite_request(REQUEST, [narrow], {"host_rewrite_literal": "wide"}, {"prefix": "/"})
    assert result.authority == "wide"


@pytest.mark.parametrize(
    ("redirect", "to"),
    [
        ({"path_redirect": "/x"}, "http://svcb:80/x?q=1"),
        ({"path_redirect": "/x?z"}, "http://svcb:80/x?z"),
        ({"path_redirect": "/x", "strip_query": True}, "http://svcb:80/x"),
        ({"host_redirect": "to.test"}, "http://to.test/a/b?q=1"),
        ({"https_redirect": True}, "https://svcb/a/b?q=1"),
        ({"scheme_redirect": "https", "port_redirect": 8443}, "https://svcb:8443/a/b?q=1"),
        ({"port_redirect": 81}, "http://svcb:81/a/b?q=1"),
        ({"prefix_rewrite": "/n"}, "http://svcb:80/n/b?q=1"),
    ],
)
def test_locations(redirect: dict[str, Any], to: str) -> None:
    assert redirect_location(redirect, {"prefix": "/a"}, REQUEST) == to
