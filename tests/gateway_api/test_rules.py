"""An HTTPRoute's rules as Envoy routes."""

from __future__ import annotations

from typing import Any

import pytest

from meshproof.translate.retries import build_retry_policy
from tests.gateway_api.http_routes import ECHO, TO_ECHO, route, routes


def _only_route(rule: str, parents: str = ECHO) -> dict[str, Any]:
    result = routes(route(f"{{{rule}}}", parents))
    assert len(result) == 1
    return result[0]


def _action(rule: str) -> Any:
    return _only_route(rule)["route"]


PREFIX = "matches: [{path: {value: /p}}]"


@pytest.mark.parametrize(
    ("match", "result"),
    [
        ("{}", {"prefix": "/"}),
        ("{path: {value: /a}}", {"path_separated_prefix": "/a"}),
        ("{path: {value: /a/}}", {"path_separated_prefix": "/a"}),
        ("{path: {type: Exact, value: /a}}", {"path": "/a"}),
        (
            "{path: {type: RegularExpression, value: '/a[0-9]'}}",
            {"safe_regex": {"regex": "/a[0-9]"}},
        ),
        (
            "{method: POST}",
            {"prefix": "/", "headers": [{"name": ":method", "string_match": {"exact": "POST"}}]},
        ),
        (
            "{headers: [{name: x, value: a}, {name: x, value: b}]}",
            {"prefix": "/", "headers": [{"name": "x", "string_match": {"exact": "a"}}]},
        ),
        (
            "{queryParams: [{type: RegularExpression, name: q, value: '.+'}]}",
            {
                "prefix": "/",
                "query_parameters": [
                    {"name": "q", "string_match": {"safe_regex": {"regex": ".+"}}}
                ],
            },
        ),
    ],
)
def test_a_match(match: str, result: dict[str, Any]) -> None:
    assert _only_route(f"matches: [{match}], {TO_ECHO}")["match"] == result


def test_a_missing_backend_is_500() -> None:
    action = _action("backendRefs: [{name: gone, port: 80}]")
    assert action["cluster"] == "outbound|80||gone.default.svc.cluster.local"
    assert action["cluster_not_found_response_code"] == "INTERNAL_SERVER_ERROR"


def test_a_backend_of_another_kind_is_500() -> None:
    action = _action("backendRefs: [{group: made.up, kind: Bucket, name: b}]")
    assert action["cluster"] == "UnknownService"


def test_no_backend_with_weight_is_500() -> None:
    assert _only_route("backendRefs: [{name: echo, port: 80, weight: 0}]")["direct_response"] == {
        "status": 500
    }
    assert _only_route("name: none")["direct_response"] == {"status": 500}


def test_weights_are_shares() -> None:
    action = _action(
        "backendRefs: [{name: echo, port: 80, weight: 9}, {name: other, port: 80},"
        "{name: echo, port: 8080, weight: 0}]"
    )
    shares = {c["name"]: c["weight"] for c in action["weighted_clusters"]["clusters"]}
    assert shares == {
        "outbound|80||echo.default.svc.cluster.local": 9,
        "outbound|80||other.default.svc.cluster.local": 1,
    }


def test_headers_of_rule_and_backend() -> None:
    result = _only_route(
        "filters: [{type: RequestHeaderModifier, requestHeaderModifier: "
        "{set: [{name: X-A, value: '1'}, {name: x-a, value: '2'}], remove: [x-r]}},"
        "{type: ResponseHeaderModifier, responseHeaderModifier: {add: [{name: x-b, value: '3'}]}}],"
        "backendRefs: [{name: echo, port: 80, filters: [{type: RequestHeaderModifier,"
        "requestHeaderModifier: {set: [{name: x-c, value: '4'}]}}]}]"
    )
    added = [(h["header"]["key"], h["header"]["value"]) for h in result["request_headers_to_add"]]
    assert added == [("x-a", "1"), ("x-c", "4")], "of equal names the first counts"
    assert result["request_headers_to_remove"] == ["x-r"]
    assert result["response_headers_to_add"][0]["append_action"] == "APPEND_IF_EXISTS_OR_ADD"


def _path(field: str, value: str) -> str:
    kind = field[0].upper() + field[1:]
    return f"path: {{type: {kind}, {field}: {value}}}"


@pytest.mark.parametrize(
    ("path", "result"),
    [
        (_path("replacePrefixMatch", "/n/"), {"prefix_rewrite": "/n"}),
        (
            _path("replacePrefixMatch", "/"),
            {
                "regex_rewrite": {
                    "pattern": {"regex": "^/p(/?)(.*)"},
                    "substitution": r"/\2",
                }
            },
        ),
        (
            _path("replaceFullPath", "/w"),
            {"regex_rewrite": {"pattern": {"regex": "/.*"}, "substitution": "/w"}},
        ),
        ("hostname: h.test", {"host_rewrite_literal": "h.test"}),
    ],
)
def test_a_rewrite(path: str, result: dict[str, Any]) -> None:
    action = _action(
        f"{PREFIX}, filters: [{{type: URLRewrite, urlRewrite: {{{path}}}}}], {TO_ECHO}"
    )
    rewritten = {k: v for k, v in action.items() if "rewrite" in k}
    assert rewritten == result


@pytest.mark.parametrize(
    ("fields", "result"),
    [
        ("hostname: o.test", {"host_redirect": "o.test"}),
        ("scheme: https", {"scheme_redirect": "https"}),
        ("port: 8443", {"port_redirect": 8443}),
        ("scheme: http, port: 80", {"scheme_redirect": "http"}),
        ("statusCode: 308", {"response_code": "PERMANENT_REDIRECT"}),
        (_path("replacePrefixMatch", "/n"), {"prefix_rewrite": "/n"}),
        (_path("replaceFullPath", "/w"), {"path_redirect": "/w"}),
    ],
)
def test_a_redirect(fields: str, result: dict[str, Any]) -> None:
    filters = f"filters: [{{type: RequestRedirect, requestRedirect: {{{fields}}}}}]"
    assert _only_route(f"{PREFIX}, {filters}")["redirect"] == {"response_code": "FOUND"} | result


def test_a_redirect_keeps_the_port_of_the_request() -> None:
    rule = "{filters: [{type: RequestRedirect, requestRedirect: {hostname: o.test}}]}"
    assert routes(route(rule), 8080)[0]["redirect"]["port_redirect"] == 8080


@pytest.mark.parametrize(
    ("share", "numerator"),
    [
        ("", 1_000_000),
        (", percent: 5", 50_000),
        (", fraction: {numerator: 1, denominator: 8}", 125_000),
    ],
)
def test_a_mirror(share: str, numerator: int) -> None:
    mirror = f"{{backendRef: {{name: other, port: 80}}{share}}}"
    action = _action(f"filters: [{{type: RequestMirror, requestMirror: {mirror}}}], {TO_ECHO}")
    (policy,) = action["request_mirror_policies"]
    assert policy["cluster"] == "outbound|80||other.default.svc.cluster.local"
    assert policy["runtime_fraction"]["default_value"]["numerator"] == numerator


@pytest.mark.parametrize(
    ("fields", "timeout", "each"),
    [
        ("timeouts: {request: 500ms}", "0.5s", None),
        ("timeouts: {request: 0s}", "0s", None),
        ("timeouts: {backendRequest: 2s}", "2s", None),
        ("timeouts: {request: 5s, backendRequest: 2s}, retry: {}", "5s", "2s"),
        ("retry: {}", "0s", None),
    ],
)
def test_timeouts(fields: str, timeout: str, each: str | None) -> None:
    action = _action(f"{fields}, {TO_ECHO}")
    assert action["timeout"] == timeout
    assert action["retry_policy"].get("per_try_timeout") == each


def test_retries() -> None:
    policy = _action(f"retry: {{codes: [500], backoff: 100ms}}, {TO_ECHO}")["retry_policy"]
    assert policy["num_retries"] == 2
    assert policy["retriable_status_codes"] == [500]
    assert policy["retry_back_off"] == {"base_interval": "0.1s"}
    assert "retriable-status-codes" in policy["retry_on"]
    assert _action(TO_ECHO)["retry_policy"] == build_retry_policy(None, hashed=False)
    assert "retry_policy" not in _action(f"retry: {{attempts: 0}}, {TO_ECHO}")


def test_cors() -> None:
    result = _only_route(
        "filters: [{type: CORS, cors: {allowOrigins: ['http://a.test'],"
        "allowMethods: [GET, PUT]}}]," + TO_ECHO
    )
    policy = result["typed_per_filter_config"]["envoy.filters.http.cors"]
    assert policy["allow_origin_string_match"] == [{"exact": "http://a.test"}]
    assert (policy["allow_methods"], policy["max_age"]) == ("GET,PUT", "5")
    assert policy["forward_not_matching_preflights"] is False


@pytest.mark.parametrize(
    ("origin", "matcher"),
    [
        ("http://a.test", {"exact": "http://a.test"}),
        ("http://a.*", {"prefix": "http://a."}),
        ("http://*.test", {"safe_regex": {"regex": r"^http://.*\.test$"}}),
        ("*", {"safe_regex": {"regex": r"^[a-zA-Z][a-zA-Z0-9+.-]*://[^/\s?#]+$"}}),
    ],
)
def test_a_star_in_an_origin_is_any_text(origin: str, matcher: object) -> None:
    result = _only_route(
        f"filters: [{{type: CORS, cors: {{allowOrigins: ['{origin}']}}}}], {TO_ECHO}"
    )
    policy = result["typed_per_filter_config"]["envoy.filters.http.cors"]
    assert policy["allow_origin_string_match"] == [matcher]
