"""Servers of Gateways that have no listener, since another one has their port of the pod."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from meshproof.errors import Problem
from meshproof.lint.context import LintContext
from meshproof.model.gateway import GatewayServer
from meshproof.model.resource import Resource
from meshproof.translate.gateway_workloads import gateway_workloads, target_port
from meshproof.translate.workload_selection import has_labels
from meshproof.translate.world import Proxy


class _Row(NamedTuple):
    gateway: Resource
    number: int
    server: GatewayServer

    @property
    def hosts(self) -> set[str]:
        return {host.lower().rpartition("/")[2] for host in self.server.hosts}


def find_conflicting_servers(context: LintContext) -> Iterator[Problem]:
    """Of the servers at one port of a gateway's pod, which several ports of its Services may lead
    to, the first decides what the port speaks; of two TLS servers with a common host the first is
    served (Istio: mergeGateways, CheckDuplicates)."""
    reported: set[tuple[str, str, int]] = set()
    for proxy in gateway_workloads(context.resources):
        served: dict[int | str, list[_Row]] = {}
        for row in _rows(context, proxy):
            port = target_port(context.services, proxy, row.server.port.number)
            rival = _rival(served.setdefault(port, []), row)
            if rival is None:
                served[port].append(row)
                continue
            key = (row.gateway.namespace, row.gateway.name, row.number)
            if key not in reported and not _is_conflict(row, rival):
                reported.add(key)
                yield _problem(row, rival, port)


def _rows(context: LintContext, proxy: Proxy) -> Iterator[_Row]:
    for gateway in context.of("Gateway"):
        if not gateway.gateway_services and has_labels(proxy.labels, gateway.spec.selector):
            for index, server in enumerate(gateway.spec.servers):
                yield _Row(gateway, index, server)


def _rival(served: list[_Row], row: _Row) -> _Row | None:
    """The server on account of which ``row`` has no listener; None if it has one."""
    if not served:
        return None
    first = served[0].server
    if first.port.speaks_http:
        return None if row.server.port.speaks_http else served[0]
    if first.tls is None or not row.server.port.speaks_tls:
        return served[0]
    return next((other for other in served if other.hosts & row.hosts), None)


def _is_conflict(row: _Row, rival: _Row) -> bool:
    """Whether ``gateway-conflict`` tells of it: one port and host at two Gateways."""
    same_port = row.server.port.number == rival.server.port.number
    return row.gateway is not rival.gateway and same_port and bool(row.hosts & rival.hosts)


def _problem(row: _Row, rival: _Row, port: int | str) -> Problem:
    own, other = row.server.port, rival.server.port
    place = f"port {port} of the gateway's pod"
    if own.number != other.number:
        place += f", where ports {other.number} and {own.number} both lead"
    common = sorted(row.hosts & rival.hosts) if own.speaks_tls and other.speaks_tls else []
    reason = f"serves {common[0]}" if common else f"speaks {other.protocol}"
    return row.gateway.problem(
        ("spec", "servers", row.number, "port"),
        f"is not served: at {place}, the server of port {other.number} of {rival.gateway.title} "
        f"{reason}",
        remedy="give the gateway's Service a targetPort of its own for this port, or another host",
    )
