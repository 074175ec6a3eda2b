"""Precedence of HTTPRoute rules, and the callers that they apply to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from meshproof.gateway_api.convert import convert_virtual_services
from meshproof.model.reader import read_text
from meshproof.translate.world import Named
from tests.gateway_api.http_routes import (
    AT_80,
    HOST,
    SERVICES,
    TO_ECHO,
    TO_OTHER,
    build_mesh,
    names,
    route,
    routes,
)
from tests.translate import builders

RULES = {
    "any": TO_ECHO,
    "prefix": f"matches: [{{path: {{value: /a}}}}], {TO_ECHO}",
    "longer": f"matches: [{{path: {{value: /a/b}}}}], {TO_ECHO}",
    "exact": f"matches: [{{path: {{type: Exact, value: /a}}}}], {TO_ECHO}",
    "method": f"matches: [{{path: {{value: /a}}, method: GET}}], {TO_ECHO}",
    "header": f"matches: [{{path: {{value: /a}}, headers: [{{name: x, value: v}}]}}], {TO_ECHO}",
    "query": f"matches: [{{path: {{value: /a}}, queryParams: [{{name: x, value: v}}]}}], {TO_ECHO}",
}
ORDER = ["exact", "longer", "method", "header", "query", "prefix", "any"]


@pytest.mark.parametrize("written", [ORDER, ORDER[::-1]])
def test_the_api_s_precedence_not_the_written_order(written: list[str]) -> None:
    result = routes(route(", ".join(f"{{name: {n}, {RULES[n]}}}" for n in written)))
    assert names(result) == ORDER


def test_rules_of_several_routes_are_merged_the_older_first() -> None:
    older = route(f"{{{TO_ECHO}}}", name="z")
    newer = route(f"{{{RULES['exact']}}}, {{{TO_OTHER}}}", name="a")
    result = routes([*older, *newer])
    assert names(result) == ["default.a.0", "default.z.0"], "nothing behind a catch-all is emitted"


def test_each_match_is_a_route_of_its_own() -> None:
    rule = "{matches: [{path: {value: /b}}, {path: {type: Exact, value: /a}}], " + TO_ECHO + "}"
    result = routes(route(rule))
    assert [r["match"] for r in result] == [{"path": "/a"}, {"path_separated_prefix": "/b"}]


def test_a_parent_s_port_is_the_only_one() -> None:
    resources = route(f"{{{RULES['any']}}}", AT_80)
    assert names(routes(resources, 80)) == ["default.r.0"]
    assert names(routes(resources, 8080)) == ["default"]


def test_a_parent_without_a_port_is_all_its_ports() -> None:
    resources = route(f"{{{RULES['any']}}}")
    assert [names(routes(resources, p)) for p in (80, 8080)] == [["default.r.0"]] * 2


FAR = replace(builders.CLIENT, namespace="far")
CONSUMER = (*SERVICES, builders.service("echo", "far"))


def test_a_consumer_route_is_for_its_own_namespace_alone_and_comes_first() -> None:
    parent = "{group: '', kind: Service, name: echo, namespace: default}"
    producer = route(f"{{{TO_ECHO}}}", name="producer")
    consumer = route(f"{{{TO_ECHO}}}", parent, name="consumer", namespace="far")
    both = [*producer, *consumer]
    assert names(routes(both)) == ["default.producer.0"]
    assert names(routes(both, proxy=FAR)) == ["far.consumer.0"]


def test_a_short_backend_is_of_the_route_s_namespace() -> None:
    parent = "{group: '', kind: Service, name: echo, namespace: default}"
    consumer = route(f"{{{TO_ECHO}}}", parent, namespace="far")
    result = routes(consumer, proxy=FAR, services=CONSUMER)
    assert result[0]["route"]["cluster"] == "outbound|80||echo.far.svc.cluster.local"


def test_the_first_of_a_virtual_service_and_a_route_has_the_host() -> None:
    rule = read_text(
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\n"
        "metadata: {name: vs, namespace: default}\n"
        f"spec: {{hosts: [{HOST}], exportTo: [far], http: [{{name: vs, route: "
        "[{destination: {host: other}}]}]}",
        "vs.yaml",
    )
    elsewhere = route(f"{{{TO_ECHO}}}", "{group: '', kind: Service, name: gone}", name="lost")
    made_of = convert_virtual_services([*rule, *elsewhere, *route(f"{{{TO_ECHO}}}")], SERVICES)
    assert [r.gateway for r in made_of] == [False, True], "a route without a parent is nothing"
    result = builders.vhost_routes(build_mesh([*rule, *route(f"{{{TO_ECHO}}}")]), HOST)
    assert names(result) == ["default.r.0"]


def test_a_service_entry_as_parent() -> None:
    entry = read_text(
        "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\n"
        "metadata: {name: out, namespace: default}\n"
        "spec: {hosts: [out.test], resolution: DNS, ports: [{number: 80, name: http, "
        "protocol: HTTP}]}",
        "se.yaml",
    )
    parent = "{group: networking.istio.io, kind: ServiceEntry, name: out}"
    rule = "{backendRefs: [{group: networking.istio.io, kind: Hostname, name: out.test, port: 80}]}"
    rules = convert_virtual_services([*entry, *route(rule, parent)], SERVICES)
    world = builders.world(
        virtual_services=rules,
        service_entries=(Named("out", "default", entry[0].spec),),
    )
    result = builders.vhost_routes(world, "out.test")
    assert result[0]["route"]["cluster"] == "outbound|80||out.test"
