"""Services of type ExternalName: aliases of hosts in the mesh."""

from __future__ import annotations

from typing import Any

import pytest

from meshproof.translate import build_outbound
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
AT_80 = (ServicePort("http", 80, 80, "HTTP"),)
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


@pytest.mark.parametrize(
    ("aliases", "cluster"),
    [
        ((_alias("ext", "M.test.", AT_80),), M_TEST),
        ((_alias("ext", "m.test", PORTS),), "outbound|80||ext.default.svc.cluster.local"),
        (
            (_alias("ext", "b.default.svc.cluster.local", AT_80), _alias("b", "m.test", AT_80)),
            "outbound|80||b.default.svc.cluster.local",
        ),
    ],
)
def test_a_destination_means_the_host_behind_it(aliases: tuple[Service, ...], cluster: str) -> None:
    """Where the alias has the port that is called; of an alias of an alias only the first counts
    (GetDestinationCluster). An alias has no cluster of its own: such a call is 503 NC."""
    rule = virtual_service("{hosts: [echo], http: [{route: [{destination: {host: ext}}]}]}")
    mesh = _world(*aliases, virtual_services=(rule,))
    routes = vhost_routes(mesh, "echo.default.svc.cluster.local")
    assert routes[0]["route"]["cluster"] == cluster
    assert [c for c in build_outbound(mesh, CLIENT).clusters if ".default." in c] == [
        "outbound|80||echo.default.svc.cluster.local"
    ]


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
