"""Callers: who can send a request to a host of a rule, and at which URL. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from meshproof.cases.planned_mesh import PlannedMesh
from meshproof.explain.gateways import ports_of
from meshproof.istio_names import CLUSTER_DOMAIN
from meshproof.translate.resource_names import gateway_routes

ANY_HOST = "any.test"
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Caller:
    """A sender, and where it calls: ``http://cart:8080``."""

    sender: str
    origin: str


def callers_in_mesh(mesh: PlannedMesh, namespace: str, host: str, port: int = 0) -> list[Caller]:
    """Each workload: those of the namespace first, the host itself last. ``port`` 0 is 80, or the
    first port of the host's Service where that has no 80."""
    origin = _origin("http", host, port or _service_port(mesh, host))
    return [Caller(sender, origin) for sender in senders(mesh, namespace, host)]


def senders(mesh: PlannedMesh, namespace: str, host: str) -> list[str]:
    """Workloads: those of the namespace first, the host itself last."""
    short = host.partition(".")[0]
    ranked = sorted(mesh.workloads, key=lambda w: (short in (w[1], w[2]), w[0] != namespace))
    return [f"{n}/{name}" for n, name, _ in ranked]


def callers_at_gateways(mesh: PlannedMesh, host: str) -> list[Caller]:
    """Every port of every gateway, with each host that its servers take if ``host`` is ``*``."""
    hosts = [*_gateway_hosts(mesh), ANY_HOST] if host == "*" else [host]
    return [
        Caller(sender, _origin(scheme, _concrete(name), port))
        for name in dict.fromkeys(hosts)
        for sender, scheme, port in _doors(mesh)
    ]


def concrete_hosts(hosts: Any) -> list[str]:
    """One host for each that a rule names."""
    return [_concrete(h) for h in hosts or () if isinstance(h, str)]


def _concrete(host: str) -> str:
    return ANY_HOST if host == "*" else host.replace("*", "any")


def _doors(mesh: PlannedMesh) -> Iterator[tuple[str, str, int]]:
    """Sender, scheme and port."""
    for proxy in (p for p in mesh.fleet.proxies if p.gateway):
        for port in ports_of(proxy):
            chains = proxy.listeners[gateway_routes(port)]["filter_chains"]
            tls = any(
                "transport_socket" in c or "server_names" in c.get("filter_chain_match", {})
                for c in chains
            )
            yield proxy.workload, "https" if tls else "http", port


def _gateway_hosts(mesh: PlannedMesh) -> Iterator[str]:
    for resource in mesh.store.resources:
        spec = resource.body.get("spec")
        if resource.kind != "Gateway" or not isinstance(spec, dict):
            continue
        for server in spec.get("servers") or ():
            yield from (str(h).rpartition("/")[2] for h in server.get("hosts") or ())
        for listener in spec.get("listeners") or ():
            yield listener.get("hostname") or "*"


def _service_port(mesh: PlannedMesh, host: str) -> int:
    for service in mesh.store.services:
        full = f"{service.name}.{service.namespace}"
        if host in (service.name, full, f"{full}.svc", f"{full}.svc.{CLUSTER_DOMAIN}"):
            numbers = [p.port for p in service.ports]
            return 80 if not numbers or 80 in numbers else numbers[0]
    return 80


def _origin(scheme: str, host: str, port: int) -> str:
    return f"{scheme}://{host}{'' if port == _DEFAULT_PORTS[scheme] else f':{port}'}"
