"""Tunnels: where a VirtualService's tls and tcp routes send a CONNECT."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from meshproof.translate.envoy_config import build_outbound
from meshproof.translate.outbound_scope import outbound_scope
from meshproof.translate.world import Address, Proxy
from tests.translate.builders import (
    CLIENT,
    outside,
    service,
    service_entry,
    vhosts,
    virtual_service,
    world,
)

DB = "db.default.svc.cluster.local:5432"
ENTRY = service_entry(
    "{hosts: [m.test, a.m.test], resolution: DNS,ports: [{number: 443, name: tls, protocol: TLS}]}"
)
TO_ECHO = "route: [{destination: {host: echo, port: {number: 80}}}]"
ECHO = {"cluster": "outbound|80||echo.default.svc.cluster.local"}
OTHER = Proxy("sidecar", "default", "other", {"app": "other"}, "other")


def _world(*rules: Any) -> Any:
    return world(
        services=(service("echo"), service("db", ports=(5432,), protocol="TCP")),
        service_entries=(ENTRY,),
        outside=(outside("m.test", {443: Address("127.60.9.1", 1)}),),
        virtual_services=rules,
    )


def _tunnel_targets(name: str, *texts: str, proxy: Proxy = CLIENT) -> dict[str, Any]:
    """Where a tunnel to ``name`` goes under rules with these specs."""
    mesh = _world(*(virtual_service(t, name=f"r{n}") for n, t in enumerate(texts)))
    route = vhosts(mesh, proxy)[name]["routes"][0]
    assert route["match"] == {"connect_matcher": {}}
    return {k: v for k, v in route["route"].items() if k in {"cluster", "weighted_clusters"}}


def test_without_a_rule_a_tunnel_goes_to_the_host() -> None:
    assert _tunnel_targets(DB) == {"cluster": "outbound|5432||db.default.svc.cluster.local"}
    assert _tunnel_targets("m.test:443") == {"cluster": "outbound|443||m.test"}


@pytest.mark.parametrize(
    ("match", "led"),
    [
        ("", True),
        ("match: [{port: 5432}],", True),
        ("match: [{port: 1}],", False),
        ("match: [{port: 1}, {port: 5432}],", True),
        ("match: [{sourceLabels: {tier: front}}],", True),
        ("match: [{sourceLabels: {tier: back}}],", False),
        ("match: [{sourceNamespace: default}],", True),
        ("match: [{sourceNamespace: far}],", False),
        ("match: [{gateways: [mesh]}],", True),
        ("match: [{gateways: [gw]}],", False),
    ],
)
def test_tcp_matches(match: str, *, led: bool) -> None:
    result = _tunnel_targets(DB, f"{{hosts: [db], tcp: [{{{match} {TO_ECHO}}}]}}")
    assert (result == ECHO) is led


def test_the_first_route_that_fits_wins_and_the_first_rule_before_it() -> None:
    to_db = "route: [{destination: {host: db}}]"
    own = {"cluster": "outbound|5432||db.default.svc.cluster.local"}
    assert _tunnel_targets(DB, f"{{hosts: [db], tcp: [{{{to_db}}}, {{{TO_ECHO}}}]}}") == own
    rules = (f"{{hosts: [db], tcp: [{{{to_db}}}]}}", f"{{hosts: [db], tcp: [{{{TO_ECHO}}}]}}")
    assert _tunnel_targets(DB, *rules) == own
    assert _tunnel_targets(DB, f"{{hosts: [db], gateways: [gw], tcp: [{{{TO_ECHO}}}]}}") == own


def test_weights() -> None:
    result = _tunnel_targets(
        DB,
        "{hosts: [db], tcp: [{route: [{destination: {host: db}, weight: 1}, {destination:"
        "{host: db, subset: v2}, weight: 3}, {destination: {host: echo}, weight: 0}]}]}",
    )
    clusters = result["weighted_clusters"]["clusters"]
    name = "outbound|5432|{}|db.default.svc.cluster.local"
    assert [(c["name"], c["weight"]) for c in clusters] == [
        (name.format(""), 1),
        (name.format("v2"), 3),
    ]


def test_plain_http_to_a_port_of_tcp_goes_the_same_way() -> None:
    rule = virtual_service(f"{{hosts: [db], tcp: [{{{TO_ECHO}}}]}}")
    plain = vhosts(_world(rule))[DB]["routes"][1]["route"]
    assert plain["cluster"] == ECHO["cluster"]


@pytest.mark.parametrize(
    ("names", "led"),
    [("[m.test]", True), ("['*.m.test', m.test]", True), ("[a.m.test]", False)],
)
def test_tls_matches_by_name(names: str, *, led: bool) -> None:
    rule = f"{{hosts: [m.test, '*.m.test'], tls: [{{match: [{{sniHosts: {names}}}], {TO_ECHO}}}]}}"
    assert (_tunnel_targets("m.test:443", rule) == ECHO) is led


def test_tls_routes_come_before_tcp_routes_and_mean_nothing_to_tcp() -> None:
    tls = f"tls: [{{match: [{{sniHosts: [m.test]}}], {TO_ECHO}}}]"
    tcp = "tcp: [{route: [{destination: {host: db, port: {number: 5432}}}]}]"
    assert _tunnel_targets("m.test:443", f"{{hosts: [m.test], {tcp}, {tls}}}") == ECHO
    to_db = {"cluster": "outbound|5432||db.default.svc.cluster.local"}
    assert _tunnel_targets("m.test:443", f"{{hosts: [m.test], {tcp}}}") == to_db
    host = "db.default.svc.cluster.local"
    only_tls = f"{{hosts: [{host}], tls: [{{match: [{{sniHosts: [{host}]}}], {TO_ECHO}}}]}}"
    assert _tunnel_targets(DB, only_tls) == to_db


def test_source_labels_part_scopes() -> None:
    rule = virtual_service(
        f"{{hosts: [db], tcp: [{{match: [{{sourceLabels: {{tier: front}}}}], {TO_ECHO}}}]}}"
    )
    mesh = _world(rule)
    assert outbound_scope(mesh, CLIENT) != outbound_scope(mesh, OTHER)
    assert build_outbound(mesh, CLIENT).routes != build_outbound(mesh, OTHER).routes


@pytest.mark.parametrize(
    "text",
    [
        "{hosts: [m.test], tls: [{match: [], route: [{destination: {host: m.test}}]}]}",
        "{hosts: [m.test], tcp: [{route: []}]}",
        "{hosts: [m.test], tcp: [{route: [{destination: {host: a}}, {destination: {host: b}}]}]}",
        "{hosts: [m.test], tcp: [{match: [{sourceSubnet: 10.0.0.0/8}],"
        " route: [{destination: {host: a}}]}]}",
    ],
)
def test_what_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        virtual_service(text)
