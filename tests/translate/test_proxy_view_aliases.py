"""Services of type ExternalName: aliases of hosts in the mesh."""

from __future__ import annotations

from typing import Any

from meshproof.translate.envoy_config import build_outbound
from meshproof.translate.world import Address, Service, ServicePort
from tests.translate.builders import (
    CLIENT,
    outside,
    routes_of,
    service,
    service_entry,
    vhost_routes,
    vhosts,
    virtual_service,
    world,
)

PORTS = (ServicePort("http", 8000, 8000, "HTTP"),)
ENTRY = service_entry(
    "{hosts: [m.test], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}]}"
)
M_TEST = "outbound|80||m.test"


def _alias(name: str, to: str, ports: tuple[ServicePort, ...] = ()) -> Service:
    return Service(name, "default", {}, ports, external_name=to)


def _world(*aliases: Service, **parts: Any) -> Any:
    return world(
        services=(service("echo"), *aliases),
        service_entries=(ENTRY,),
        outside=(outside("m.test", {80: Address("127.60.9.1", 1)}),),
        **parts,
    )


def test_an_alias_is_called_at_the_ports_of_the_host_behind_it() -> None:
    result = vhosts(_world(_alias("ext", "m.test", PORTS)))
    domains = result["m.test:80"]["domains"]
    assert {"ext", "ext.default:80", "ext.default.svc.cluster.local."} <= set(domains)
    assert not [n for n in result if n.startswith("ext")]


def test_an_alias_of_an_alias_and_of_a_service() -> None:
    echo = "echo.default.svc.cluster.local"
    mesh = _world(_alias("a", "b.default.svc.cluster.local"), _alias("b", echo))
    assert {"a", "b"} <= set(vhosts(mesh)[f"{echo}:80"]["domains"])


def test_it_has_no_cluster_and_a_destination_means_the_host_behind_it() -> None:
    rule = virtual_service("{hosts: [echo], http: [{route: [{destination: {host: ext}}]}]}")
    mesh = _world(_alias("ext", "M.test."), virtual_services=(rule,))
    routes = vhost_routes(mesh, "echo.default.svc.cluster.local")
    assert routes[0]["route"]["cluster"] == M_TEST
    assert [c for c in build_outbound(mesh, CLIENT).clusters if "ext" in c] == []


def test_a_destination_s_own_port_is_the_hosts_whatever_port_is_called() -> None:
    """A rule for one port may lead to an ExternalName that has another, as Istio's own test of
    externalname routing shows on a port without a protocol."""
    to = "{host: ext, port: {number: 80}}"
    rule = virtual_service(f"{{hosts: [echo], http: [{{route: [{{destination: {to}}}]}}]}}")
    at_80 = (ServicePort("http", 80, 80, "HTTP"),)
    mesh = world(
        services=(service("echo", ports=(81,)), _alias("ext", "m.test", at_80)),
        service_entries=(ENTRY,),
        outside=(outside("m.test", {80: Address("127.60.9.1", 1)}),),
        virtual_services=(rule,),
    )
    route = vhosts(mesh)["echo.default.svc.cluster.local:81"]["routes"][-1]
    assert route["route"]["cluster"] == M_TEST


def test_an_alias_of_nothing_leads_nowhere() -> None:
    mesh = _world(_alias("ext", "nowhere.test", PORTS))
    assert not any("ext" in d for v in vhosts(mesh).values() for d in v["domains"])
    circle = "b.default.svc.cluster.local", "a.default.svc.cluster.local"
    turning = _world(_alias("a", circle[0]), _alias("b", circle[1]))
    assert not any("a" in v["domains"] for v in vhosts(turning).values())


def test_a_rule_for_the_alias_is_for_the_alias_alone() -> None:
    services = (service("echo"), _alias("ext", "m.test", (ServicePort("http", 80, 80, "HTTP"),)))
    routes = routes_of(
        "{hosts: [ext], http: [{route: [{destination: {host: echo}}]}]}",
        host="ext.default.svc.cluster.local",
        services=services,
        service_entries=(ENTRY,),
    )
    assert routes[0]["route"]["cluster"] == "outbound|80||echo.default.svc.cluster.local"
