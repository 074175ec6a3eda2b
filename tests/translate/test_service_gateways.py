"""Gateways that are bound to Services by Istio's own annotation."""

from __future__ import annotations

from dataclasses import replace

import pytest

from meshproof.model.reader import read_text
from meshproof.translate.service_gateways import bind
from meshproof.translate.world import Service, ServicePort
from tests.translate.builders import gateway

_GATEWAY = gateway(
    "{servers: [{port: {number: 80, name: a, protocol: HTTP}, hosts: [a.test]},"
    "{port: {number: 82, name: b, protocol: HTTP}, hosts: [b.test]}]}"
)


def _service(name: str, port: int, namespace: str = "default") -> Service:
    return Service(name, namespace, {"istio": name}, (ServicePort("http", port, 8080, "HTTP"),))


@pytest.mark.parametrize(
    ("names", "ports"),
    [
        (["in.default.svc.cluster.local"], [80]),
        (["in.default.svc.cluster.local", "two.default.svc.cluster.local"], [80, 82]),
        (["two.default.svc.cluster.local"], [82]),
        (["in"], []),
        (["far.other.svc.cluster.local"], []),
        (["plain.default.svc.cluster.local"], []),
    ],
)
def test_only_ports_of_the_services_have_listeners(names: list[str], ports: list[int]) -> None:
    unselective = replace(_service("plain", 80), selector={})
    services = (_service("in", 80), _service("two", 82), _service("far", 80, "other"), unselective)
    bound = bind(_GATEWAY, names, services)
    assert [s.port.number for s in bound.spec.servers] == ports if bound else not ports
    assert bound is None or bound.spec.selector == {"istio": names[0].partition(".")[0]}


def test_the_annotation_is_read() -> None:
    text = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: in, annotations: {internal.istio.io/gateway-service: "a.b.svc.cluster.local,c.d"}}
spec: {servers: [{port: {number: 80, name: a, protocol: HTTP}, hosts: [a.test]}]}
"""
    (resource,) = read_text(text, "gateway.yaml")
    assert resource.gateway_services == ("a.b.svc.cluster.local", "c.d")
