"""Endpoints at addresses of the mesh itself: pods, ClusterIPs and names of Services."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from meshproof.translate.address_book import AddressBook
from meshproof.translate.envoy_config import build_outbound
from meshproof.translate.world import Address
from tests.translate.builders import CLIENT, ECHO, outside, replica, service, service_entry, world

_ECHO = replace(service("echo"), cluster_ip="10.96.0.9")
_BOTH = tuple(Address(r.ip, 8080) for r in ECHO)


@pytest.mark.parametrize(
    ("host", "port", "namespace", "addresses"),
    [
        ("echo", 80, "default", _BOTH),
        ("echo", 80, "other", ()),
        ("echo", 80, "", ()),
        ("echo.default", 80, "other", _BOTH),
        ("Echo.default.svc", 80, "", _BOTH),
        ("echo.default.svc.cluster.local", 80, "", _BOTH),
        ("echo.default.svc.cluster.local", 81, "", ()),
        ("10.96.0.9", 80, "", _BOTH),
        ("127.60.0.2", 8080, "", _BOTH[1:]),
        ("127.60.0.2", 80, "", ()),
        ("far.test", 80, "", (Address("127.0.0.9", 8001),)),
        ("127.60.0.3", 8080, "", ()),
    ],
)
def test_an_address_is_outside_or_a_pod_or_a_service(
    host: str, port: int, namespace: str, addresses: tuple[Address, ...]
) -> None:
    unready = replica("echo", "v3", "127.60.0.3", ready=False)
    mesh = world(
        services=(_ECHO,),
        replicas=(*ECHO, unready),
        outside=(outside("far.test", {80: Address("127.0.0.9", 8001)}),),
    )
    assert AddressBook(mesh).find(host, port, namespace) == addresses


def test_what_is_declared_outside_wins() -> None:
    mesh = world(outside=(outside("echo.default", {80: Address("127.0.0.9", 8001)}),))
    assert AddressBook(mesh).find("echo.default", 80) == (Address("127.0.0.9", 8001),)
    assert AddressBook(mesh).find("echo.default", 8080) == ()


def test_pods_behind_a_name_divide_the_weight_of_their_endpoint() -> None:
    entry = service_entry(
        "{hosts: [all.test], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS,"
        "endpoints: [{address: echo, weight: 3}, {address: far.test, weight: 1}]}"
    )
    far = outside("far.test", {80: Address("127.0.0.9", 8001)})
    config = build_outbound(world(service_entries=(entry,), outside=(far,)), CLIENT)
    cluster: Any = config.clusters["outbound|80||all.test"]
    (group,) = cluster["load_assignment"]["endpoints"]
    assert [e["load_balancing_weight"] for e in group["lb_endpoints"]] == [3, 3, 2]
