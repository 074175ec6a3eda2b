"""Delegates: VirtualServices without hosts, merged into those that name them."""

from __future__ import annotations

from typing import Any

import pytest

from meshproof.model.virtual_service import VirtualService
from tests.translate.builders import vhost_routes, virtual_service, world

HOST = "echo.default.svc.cluster.local"
TO = "route: [{destination: {host: echo}}]"


def _routes(root: str, delegate: str, **names: str) -> list[dict[str, Any]]:
    """``root`` and ``delegate`` are lists of routes; the delegate is ``part`` of ``names``."""
    rules = (
        virtual_service(f"{{hosts: [echo], http: [{root}]}}"),
        virtual_service(f"{{http: [{delegate}]}}", **{"name": "part", **names}),
    )
    return vhost_routes(world(virtual_services=rules), HOST)


def _matches(root: str, own: str) -> list[dict[str, Any]]:
    root = f"{{match: [{root}], delegate: {{name: part}}}}"
    routes = _routes(f"{root}, {{name: last, {TO}}}", f"{{match: [{own}], {TO}}}")
    return [r["match"] for r in routes if r.get("name") != "last"]


@pytest.mark.parametrize(
    ("root", "own", "merged"),
    [
        ("{uri: {prefix: /a}}", "{uri: {prefix: /a/b}}", [{"prefix": "/a/b"}]),
        ("{uri: {prefix: /a}}", "{uri: {exact: /a/b}}", [{"path": "/a/b"}]),
        ("{uri: {prefix: /a}}", "{uri: {prefix: /b}}", []),
        ("{uri: {exact: /a}}", "{uri: {prefix: /a}}", []),
        ("{uri: {regex: /a.}}", "{uri: {prefix: /ab}}", []),
        ("{uri: {prefix: /a}}", "{port: 80}", [{"prefix": "/a"}]),
        ("{uri: {exact: /a}}, {uri: {exact: /b}}", "{port: 80}", [{"path": "/a"}, {"path": "/b"}]),
        ("{uri: {prefix: /a}, ignoreUriCase: true}", "{port: 80}", []),
        ("{port: 80}", "{port: 8080}", []),
        ("{sourceLabels: {app: client}}", "{sourceLabels: {app: other}}", []),
        ("{sourceLabels: {app: client}}", "{sourceLabels: {tier: back}}", []),
        ("{sourceLabels: {app: client}}", "{sourceLabels: {tier: front}}", [{"prefix": "/"}]),
        ("{gateways: [mesh]}", "{gateways: [mesh, gw]}", []),
        (
            "{headers: {x: {prefix: a}}}",
            "{headers: {x: {exact: ab}, y: {exact: b}}}",
            [
                {
                    "prefix": "/",
                    "headers": [
                        {"name": "x", "string_match": {"exact": "ab"}},
                        {"name": "y", "string_match": {"exact": "b"}},
                    ],
                }
            ],
        ),
        ("{headers: {x: {exact: a}}}", "{headers: {x: {exact: b}}}", []),
    ],
)  # fmt: skip
def test_matches_are_multiplied_and_conflicts_left_out(
    root: str, own: str, merged: list[dict[str, Any]]
) -> None:
    assert _matches(root, own) == merged


def test_what_the_delegate_does_not_say_is_the_root_s() -> None:
    (routes,) = _routes(
        "{name: a, timeout: 1s, headers: {request: {set: {x-a: '1'}}}, delegate: {name: part}}",
        f"{{name: b, {TO}}}",
    )
    assert (routes["name"], routes["route"]["timeout"]) == ("a-b", "1s")
    assert routes["request_headers_to_add"][0]["header"]["key"] == "x-a"
    (own,) = _routes("{timeout: 1s, delegate: {name: part}}", f"{{timeout: 2s, {TO}}}")
    assert own["route"]["timeout"] == "2s"


def test_short_names_are_of_the_delegate_s_namespace() -> None:
    root = "{delegate: {name: part, namespace: far}}"
    (routes,) = _routes(root, "{route: [{destination: {host: x}}]}", namespace="far")
    assert routes["route"]["cluster"] == "outbound|80||x.far.svc.cluster.local"


def test_a_missing_delegate_drops_that_route_alone() -> None:
    routes = _routes(f"{{delegate: {{name: gone}}}}, {{name: rest, {TO}}}", f"{{{TO}}}")
    assert [r["name"] for r in routes] == ["rest"]


def test_a_delegate_must_be_exported_to_the_root() -> None:
    rules = (
        virtual_service("{hosts: [echo], http: [{delegate: {name: part, namespace: far}}]}"),
        virtual_service(f"{{exportTo: [other], http: [{{{TO}}}]}}", name="part", namespace="far"),
    )
    (routes,) = vhost_routes(world(virtual_services=rules), HOST)
    assert routes["name"] == "default"


@pytest.mark.parametrize(
    "spec",
    [
        {"gateways": ["mesh"], "http": []},
        {"http": [{"delegate": {"name": "x"}}]},
        {"hosts": ["a"], "http": [{"delegate": {"name": "x"}, "redirect": {"uri": "/"}}]},
    ],
)
def test_a_delegate_that_is_none_is_refused(spec: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="wanted"):
        VirtualService.model_validate(spec)
