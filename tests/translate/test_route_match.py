"""VirtualService matches, field by field: YAML in, Envoy's RouteMatch out."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from meshproof.translate.world import Proxy
from tests.translate.builders import CLIENT, routes_of, vhost_routes, virtual_service, world

HOST = "echo.default.svc.cluster.local"


def _match(text: str) -> dict[str, Any]:
    first: dict[str, Any] = routes_of(
        f"{{hosts: [echo], http: [{{match: [{text}], route: [{{destination: {{host: echo}}}}]}}]}}"
    )[0]["match"]
    return first


@pytest.mark.parametrize(
    ("written", "emitted"),
    [
        ("{uri: {exact: /x}}", {"path": "/x"}),
        ("{uri: {prefix: /x}}", {"prefix": "/x"}),
        ("{uri: {regex: '/i/[0-9]+'}}", {"safe_regex": {"regex": "/i/[0-9]+"}}),
        ("{uri: {}}", {"prefix": "/"}),
        (
            "{uri: {prefix: /Shop}, ignoreUriCase: true}",
            {"prefix": "/Shop", "case_sensitive": False},
        ),
    ],
)
def test_uri(written: str, emitted: dict[str, Any]) -> None:
    assert _match(written) == emitted


@pytest.mark.parametrize(
    ("written", "emitted"),
    [
        ("headers: {ua: {exact: a}}", {"name": "ua", "string_match": {"exact": "a"}}),
        ("headers: {ua: {prefix: a}}", {"name": "ua", "string_match": {"prefix": "a"}}),
        (
            "headers: {ua: {regex: a+}}",
            {"name": "ua", "string_match": {"safe_regex": {"regex": "a+"}}},
        ),
        ("headers: {ua: {}}", {"name": "ua", "present_match": True}),
        (
            "withoutHeaders: {ua: {exact: a}}",
            {
                "name": "ua",
                "string_match": {"exact": "a"},
                "invert_match": True,
                "treat_missing_header_as_empty": True,
            },
        ),
        (
            "withoutHeaders: {ua: {}}",
            {"name": "ua", "present_match": True, "invert_match": True},
        ),
        ("method: {exact: PUT}", {"name": ":method", "string_match": {"exact": "PUT"}}),
        (
            "authority: {prefix: echo.c}",
            {"name": ":authority", "string_match": {"prefix": "echo.c"}},
        ),
        ("scheme: {exact: http}", {"name": ":scheme", "string_match": {"exact": "http"}}),
    ],
)
def test_header(written: str, emitted: dict[str, Any]) -> None:
    assert _match(f"{{{written}}}") == {"prefix": "/", "headers": [emitted]}


def test_headers_are_sorted_and_and_together_with_query_parameters() -> None:
    match = _match("{headers: {b: {}, a: {}}, queryParams: {q: {exact: '1'}, p: {}}}")
    assert [h["name"] for h in match["headers"]] == ["a", "b"]
    assert match["query_parameters"] == [
        {"name": "p", "present_match": True},
        {"name": "q", "string_match": {"exact": "1"}},
    ]


def test_match_entries_become_routes_in_document_order() -> None:
    routes = routes_of(
        "{hosts: [echo], http: ["
        "{match: [{uri: {exact: /b}}, {uri: {exact: /a}}], route: [{destination: {host: echo}}]},"
        "{match: [{uri: {exact: /c}}], route: [{destination: {host: other}}]}]}"
    )
    assert [r["match"]["path"] for r in routes] == ["/b", "/a", "/c"]


@pytest.mark.parametrize("catch_all", ["uri: {prefix: /}", "uri: {regex: '.*'}", ""])
def test_nothing_is_emitted_after_a_catch_all(catch_all: str) -> None:
    routes = routes_of(
        f"{{hosts: [echo], http: [{{match: [{{{catch_all}}}], route: [{{destination: "
        "{host: echo}}]}, {match: [{uri: {exact: /a}}], route: [{destination: {host: other}}]}]}"
    )
    assert len(routes) == 1


def test_a_prefix_with_headers_is_no_catch_all() -> None:
    routes = routes_of(
        "{hosts: [echo], http: [{match: [{uri: {prefix: /}, headers: {a: {}}}],"
        "route: [{destination: {host: echo}}]}, {route: [{destination: {host: other}}]}]}"
    )
    assert len(routes) == 2


def _first_path(match: str, proxy: Proxy = CLIENT) -> str | None:
    rule = virtual_service(
        f"{{hosts: [echo], http: [{{match: [{{uri: {{exact: /m}}, {match}}}],"
        "route: [{destination: {host: echo}}]}]}"
    )
    path: str | None = vhost_routes(world(virtual_services=(rule,)), HOST, proxy=proxy)[0][
        "match"
    ].get("path")
    return path


@pytest.mark.parametrize(
    ("match", "applies"),
    [
        ("port: 80", True),
        ("port: 8081", False),
        ("sourceLabels: {tier: front}", True),
        ("sourceLabels: {tier: back}", False),
        ("sourceNamespace: default", True),
        ("sourceNamespace: elsewhere", False),
        ("gateways: [mesh]", True),
        ("gateways: [gw]", False),
        ("gateways: [mesh], sourceLabels: {tier: back}", True),
        ("gateways: [mesh], sourceNamespace: elsewhere", True),
    ],
)
def test_which_proxy_and_port_a_match_is_for(match: str, applies: bool) -> None:
    """Where no route survives, the service keeps its default route."""
    assert _first_path(match) == ("/m" if applies else None)


@pytest.mark.parametrize(
    ("names", "emitted"),
    [("name: r", "r"), ("name: r, match: [{name: m}]", "r.m"), ("match: [{name: m}]", ".m")],
)
def test_route_name(names: str, emitted: str) -> None:
    text = f"{{hosts: [echo], http: [{{{names}, route: [{{destination: {{host: echo}}}}]}}]}}"
    assert yaml.safe_load(text)["http"]
    assert routes_of(text)[0]["name"] == emitted


@pytest.mark.parametrize(
    ("http", "operation"),
    [
        ("match: [{uri: {prefix: /p}}], route: [{destination: {host: echo}}]", f"{HOST}:80/p*"),
        ("match: [{uri: {exact: /p}}], route: [{destination: {host: echo}}]", f"{HOST}:80/p"),
        ("route: [{destination: {host: echo}}]", f"{HOST}:80/*"),
        (
            "route: [{destination: {host: echo}, weight: 1},"
            "{destination: {host: other}, weight: 1}]",
            "echo:80/*",
        ),
        ("redirect: {authority: x.test}", "echo:80/*"),
    ],
)
def test_span_names(http: str, operation: str) -> None:
    route = routes_of(f"{{hosts: [echo], http: [{{{http}}}]}}")[0]
    assert route["decorator"]["operation"] == operation


CLAIM = {"filter": "envoy.filters.http.jwt_authn"}


def _claim(matcher: dict[str, Any], *path: str) -> dict[str, Any]:
    keys = [{"key": "payload"}, *({"key": key} for key in path)]
    either = [matcher, {"list_match": {"one_of": matcher}}]
    return {**CLAIM, "path": keys, "value": {"or_match": {"value_matchers": either}}}


@pytest.mark.parametrize(
    ("written", "emitted"),
    [
        (
            "headers: {'@request.auth.claims.group.id': {exact: a}}",
            _claim({"string_match": {"exact": "a"}}, "group", "id"),
        ),
        (
            "headers: {'@request.auth.claims[a.b][c]': {prefix: x}}",
            _claim({"string_match": {"prefix": "x"}}, "a.b", "c"),
        ),
        (
            "withoutHeaders: {'@request.auth.claims.sub': {exact: a}}",
            _claim({"string_match": {"exact": "a"}}, "sub") | {"invert": True},
        ),
    ],
)
def test_a_claim_is_no_header(written: str, emitted: dict[str, Any]) -> None:
    assert _match(f"{{{written}}}") == {"prefix": "/", "dynamic_metadata": [emitted]}


def test_a_claim_keeps_a_route_from_catching_all() -> None:
    routes = routes_of(
        "{hosts: [echo], http: [{match: [{headers: {'@request.auth.claims.a': {exact: b}}}],"
        "route: [{destination: {host: echo}}]}, {route: [{destination: {host: other}}]}]}"
    )
    assert len(routes) == 2
