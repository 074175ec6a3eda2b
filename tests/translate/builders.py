"""Builders of Worlds for tests: services, replicas, and rules from YAML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import yaml

from meshproof.model.destination_rule import DestinationRule
from meshproof.model.gateway import Gateway
from meshproof.model.service_entry import ServiceEntry
from meshproof.model.virtual_service import VirtualService
from meshproof.translate.envoy_config import build_outbound, proxy_of
from meshproof.translate.world import (
    Address,
    ContainerPort,
    Named,
    Outside,
    Protocol,
    Proxy,
    Replica,
    Service,
    ServicePort,
    TlsSecret,
    World,
)

CLIENT = Proxy("sidecar", "default", "client", {"app": "client", "tier": "front"}, "client")
GATEWAY = Proxy("gateway", "istio-system", "gw", {"istio": "ingressgateway"}, "gw")


def labelled(labels: Mapping[str, str]) -> Proxy:
    """A sidecar with these labels."""
    return Proxy("sidecar", "default", "app", labels, "app")


def service(
    name: str,
    namespace: str = "default",
    ports: tuple[int, ...] = (80,),
    protocol: Protocol = "HTTP",
) -> Service:
    """Selects ``app: <name>``; the targetPort of every port is 8080."""
    result = tuple(ServicePort(f"p{n}", n, 8080, protocol) for n in ports)
    return Service(name, namespace, {"app": name}, result)


def replica(
    app: str,
    version: str,
    ip: str,
    namespace: str = "default",
    *,
    ready: bool = True,
    account: str = "",
    backend: Address | None = None,
) -> Replica:
    """Listens at ``ip``:8080 and forwards to ``backend``, by default ``ip``:9080."""
    return Replica(
        name=f"{app}-{version}",
        namespace=namespace,
        workload=f"{app}-{version}",
        labels={"app": app, "version": version},
        service_account=account or app,
        ip=ip,
        ports=(ContainerPort("http", 8080, Address(ip, 8080), backend or Address(ip, 9080)),),
        ready=ready,
    )


ECHO = (
    replica("echo", "v1", "127.60.0.1"),
    replica("echo", "v2", "127.60.0.2"),
)
SUBSETS = "{host: echo, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}, {name: v3, labels: {version: v3}}]}"  # noqa: E501


def virtual_service(
    text: str, name: str = "echo", namespace: str = "default"
) -> Named[VirtualService]:
    spec = VirtualService.model_validate(yaml.safe_load(text))
    return Named(name, namespace, spec)


def destination_rule(
    text: str = SUBSETS, name: str = "echo", namespace: str = "default"
) -> Named[DestinationRule]:
    return Named(name, namespace, DestinationRule.model_validate(yaml.safe_load(text)))


def service_entry(
    text: str, name: str = "entry", namespace: str = "default"
) -> Named[ServiceEntry]:
    return Named(name, namespace, ServiceEntry.model_validate(yaml.safe_load(text)))


def gateway(text: str, name: str = "gw", namespace: str = "default") -> Named[Gateway]:
    return Named(name, namespace, Gateway.model_validate(yaml.safe_load(text)))


def with_certificate(mesh: World, chain: str, key: str) -> World:
    """The world with a Secret ``shop`` for the gateway's HTTPS servers."""
    return replace(mesh, tls_secrets=(TlsSecret("shop", "istio-system", chain, key),))


def outside(host: str, ports: Mapping[int, Address]) -> Outside:
    return Outside(host, ports)


def world(**parts: Any) -> World:
    """Service echo with versions v1 and v2, and service other without replicas, by default."""
    defaults = {"services": (service("echo"), service("other")), "replicas": ECHO}
    return World(**{**defaults, **parts})


def routes_of(
    text: str, *, host: str = "echo.default.svc.cluster.local", port: int = 80, **parts: Any
) -> list[dict[str, Any]]:
    """The routes of ``host`` under one VirtualService, without the CONNECT route."""
    rules = (virtual_service(text),)
    return vhost_routes(world(virtual_services=rules, **parts), host, port)


def vhost_routes(
    mesh: World, host: str, port: int = 80, proxy: Proxy = CLIENT
) -> list[dict[str, Any]]:
    routes: list[dict[str, Any]] = vhosts(mesh, proxy)[f"{host}:{port}"]["routes"]
    return [r for r in routes if "connect_matcher" not in r["match"]]


def vhosts(mesh: World, proxy: Proxy = CLIENT) -> dict[str, Any]:
    table: Any = build_outbound(mesh, proxy).routes["outbound"]
    return {v["name"]: v for v in table["virtual_hosts"]}


def proxy(of: Replica) -> Proxy:
    return proxy_of(of)


def addresses(assignment: Any) -> list[str]:
    """``ip:port`` of every endpoint of a ClusterLoadAssignment."""
    return [
        f"{a['address']}:{a['port_value']}"
        for group in assignment["endpoints"]
        for e in group["lb_endpoints"]
        for a in [e["endpoint"]["address"]["socket_address"]]
    ]
