"""corsPolicy, statPrefix, and other route fields beside the action."""

from __future__ import annotations

from typing import Any

import pytest

from tests.translate.builders import routes_of

TO = "route: [{destination: {host: echo}}]"


def _cors(policy: str) -> Any:
    (route,) = routes_of(f"{{hosts: [echo], http: [{{{TO}, corsPolicy: {policy}}}]}}")
    return route["typed_per_filter_config"]["envoy.filters.http.cors"]


def test_every_field_of_a_cors_policy() -> None:
    result = _cors(
        "{allowOrigins: [{exact: 'http://a'}, {prefix: 'http://b'}, {regex: '.*c'}],"
        "allowMethods: [GET, PUT], allowHeaders: [x-a, x-b], exposeHeaders: [x-c],"
        "maxAge: 90s, allowCredentials: false}"
    )
    del result["@type"]
    assert result == {
        "allow_origin_string_match": [
            {"exact": "http://a"},
            {"prefix": "http://b"},
            {"safe_regex": {"regex": ".*c"}},
        ],
        "filter_enabled": {"default_value": {"numerator": 100}},
        "forward_not_matching_preflights": True,
        "allow_methods": "GET,PUT",
        "allow_headers": "x-a,x-b",
        "expose_headers": "x-c",
        "max_age": "90",
        "allow_credentials": False,
    }


def test_the_old_list_of_origins_counts_where_the_new_one_is_empty() -> None:
    both = "allowOrigin: ['http://old']"
    assert _cors(f"{{{both}}}")["allow_origin_string_match"] == [{"exact": "http://old"}]
    new = _cors(f"{{{both}, allowOrigins: [{{exact: 'http://new'}}]}}")
    assert new["allow_origin_string_match"] == [{"exact": "http://new"}]


@pytest.mark.parametrize(("message", "forwarded"), [("FORWARD", True), ("IGNORE", False)])
def test_unmatched_preflights(message: str, forwarded: bool) -> None:
    result = _cors(f"{{unmatchedPreflights: {message}}}")
    assert result["forward_not_matching_preflights"] is forwarded


@pytest.mark.parametrize(
    ("http", "field", "value"),
    [
        (f"match: [{{statPrefix: quiet}}], {TO}", "stat_prefix", "quiet"),
        (
            "directResponse: {status: 200, body: {bytes: aGk=}}",
            "direct_response",
            {"status": 200, "body": {"inline_bytes": "aGk="}},
        ),
        (f"{TO}, headers: {{request: {{remove: [host, ':path', x]}}}}",
         "request_headers_to_remove", ["x"]),
    ],
)  # fmt: skip
def test_a_field(http: str, field: str, value: Any) -> None:
    assert routes_of(f"{{hosts: [echo], http: [{{{http}}}]}}")[0][field] == value


def test_an_abort_by_grpc_status() -> None:
    abort = "{grpcStatus: UNAVAILABLE, percentage: {value: 50}}"
    (route,) = routes_of(f"{{hosts: [echo], http: [{{{TO}, fault: {{abort: {abort}}}}}]}}")
    result = route["typed_per_filter_config"]["envoy.filters.http.fault"]["abort"]
    assert result["grpc_status"] == 14


@pytest.mark.parametrize(
    ("share", "numerator"),
    [("mirrorPercent: 5", 50_000), ("mirrorPercent: 5, mirrorPercentage: {value: 7}", 70_000)],
)
def test_the_old_share_of_a_mirror(share: str, numerator: int) -> None:
    (route,) = routes_of(f"{{hosts: [echo], http: [{{{TO}, mirror: {{host: other}}, {share}}}]}}")
    (policy,) = route["route"]["request_mirror_policies"]
    assert policy["runtime_fraction"]["default_value"]["numerator"] == numerator


def test_none_of_the_old_share_is_no_mirror() -> None:
    (route,) = routes_of(
        f"{{hosts: [echo], http: [{{{TO}, mirror: {{host: x}}, mirrorPercent: 0}}]}}"
    )
    assert "request_mirror_policies" not in route["route"]
