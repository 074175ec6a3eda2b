"""Servers of gateways whose ports lead to one port of the pod (Istio: resolvePorts of
pilot/pkg/model/gateway.go)."""

from __future__ import annotations

from typing import Any

import pytest

from meshproof.translate.envoy_config import build_gateway, build_outbound
from meshproof.translate.gateway_workloads import gateway_replica
from meshproof.translate.world import Service, ServicePort, TlsSecret, World
from tests.translate import builders
from tests.translate.builders import GATEWAY, virtual_service, world
from tests.translate.policy_builders import policy


def gateway(name: str, *servers: str) -> Any:
    text = f"{{selector: {{istio: ingressgateway}}, servers: [{', '.join(servers)}]}}"
    return builders.gateway(text, name)


def server(number: int, host: str, more: str = "", protocol: str = "HTTP") -> str:
    port = f"{{number: {number}, name: p{number}, protocol: {protocol}}}"
    return f"{{port: {port}, hosts: [{host}]{more}}}"


def service(
    *ports: tuple[int, int | str], name: str = "gw", namespace: str = "istio-system", **fields: Any
) -> Service:
    rows = tuple(ServicePort(f"p{number}", number, to, "HTTP") for number, to in ports)
    return Service(name, namespace, {"istio": "ingressgateway"}, rows, **fields)


def rule(host: str, gateways: str, more: str = "") -> Any:
    route = "{route: [{destination: {host: echo}}]" + more + "}"
    text = f"{{hosts: [{host}], gateways: [{gateways}], http: [{route}]}}"
    return virtual_service(text, host.partition(".")[0])


def mesh(gateways: Any, *services: Service, **parts: Any) -> World:
    rules = parts.pop("rules", (rule("a.test", "first, second"), rule("b.test", "first, second")))
    own = (*builders.world().services, *services)
    return world(gateways=tuple(gateways), services=own, virtual_services=rules, **parts)


def hosts(config: World, port: int) -> set[str]:
    table: Any = build_outbound(config, GATEWAY).routes[f"http.{port}"]
    return {name for host in table["virtual_hosts"] for name in host["domains"]}


AT_80, AT_8080 = (
    gateway("first", server(80, "a.test")),
    gateway("second", server(8080, "b.test")),
)


@pytest.mark.parametrize(
    ("services", "merged"),
    [
        ((service((80, 8080)),), True),
        ((service((80, 8080), (8080, 9090)),), False),
        ((service((80, 9090)),), False),
        ((service((80, 9090)), service((80, 8080), name="later")), False),
        ((service((80, 8080), translates_gateway_ports=False),), False),
        ((service((80, 8080), namespace="other"),), False),
        ((service((80, "web")),), False),
        ((), False),
    ],
)
def test_ports_that_lead_to_one_port_of_the_pod_share_its_servers(
    services: tuple[Service, ...], *, merged: bool
) -> None:
    config = mesh((AT_80, AT_8080), *services)
    both = {"a.test", "b.test"}
    assert hosts(config, 80) == (both if merged else {"a.test"})
    assert hosts(config, 8080) == (both if merged else {"b.test"})


def test_names_say_the_port_of_the_server_that_has_the_host() -> None:
    table: Any = build_outbound(mesh((AT_80, AT_8080), service((80, 8080))), GATEWAY).routes
    names = [host["name"] for host in table["http.8080"]["virtual_hosts"]]
    assert names == ["a.test:80", "b.test:8080"]


def test_the_first_server_decides_what_the_port_of_the_pod_speaks() -> None:
    tls = ", tls: {mode: SIMPLE, credentialName: shop}"
    secure = gateway("second", server(8080, "b.test", tls, "HTTPS"))
    secrets = (TlsSecret("shop", "istio-system", "CHAIN", "KEY"),)
    config = mesh((AT_80, secure), service((80, 8080)), tls_secrets=secrets)
    listeners: Any = build_gateway(config, GATEWAY, "127.60.1.1", {}).listeners
    for name in ("http.80", "http.8080"):
        (chain,) = listeners[name]["filter_chains"]
        assert "transport_socket" not in chain
    assert hosts(config, 8080) == {"a.test"}


@pytest.mark.parametrize(("port", "holds"), [(80, False), (8080, True)])
def test_policies_know_the_port_of_the_pod(port: int, *, holds: bool) -> None:
    """As in Istio, where a policy for port 80 of the default ingress gateway never matches."""
    text = f"{{action: DENY, rules: [{{to: [{{operation: {{ports: ['{port}']}}}}]}}]}}"
    denial = policy(text, namespace="istio-system")
    config = mesh((AT_80,), service((80, 8080)), authorization_policies=(denial,))
    table = build_outbound(config, GATEWAY).routes["http.80"]
    assert ("'not_rule': {'any': True}" not in str(table["typed_per_filter_config"])) == holds


def test_a_service_leads_to_the_listener_of_its_target_port() -> None:
    services = [
        service((80, 8081), translates_gateway_ports=False),
        service((80, 8080), name="other"),
    ]
    bound = {80: 18080, 8081: 18081}
    replica = gateway_replica(GATEWAY, "gw-1", "127.60.1.1", bound, services)
    assert {p.port: p.listen.port for p in replica.ports} == {80: 18080, 8080: 18080, 8081: 18081}
