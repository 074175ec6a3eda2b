"""Gateways that nobody declares, names or runs, and rules for hosts that they do not serve."""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.errors import Problem
from meshproof.lint.context import MESH, LintContext
from meshproof.model.gateway import GatewayServerPort
from meshproof.model.resource import Resource
from meshproof.sources.location import FieldPath
from meshproof.translate.gateway_workloads import gateway_workloads
from meshproof.translate.host_names import covers, fqdn, gateway_key
from meshproof.translate.workload_selection import has_labels


def find_unknown_gateways(context: LintContext) -> Iterator[Problem]:
    """``spec.gateways`` and ``match[].gateways`` of every VirtualService."""
    declared = {(g.namespace, g.name) for g in context.of("Gateway")}
    for rule in context.of("VirtualService"):
        for path, name in _gateway_names(rule):
            if name == MESH or gateway_key(name, rule.namespace) in declared:
                continue
            yield rule.problem(
                path,
                f"gateway {'/'.join(gateway_key(name, rule.namespace))} is declared by nobody; "
                "Istio serves these routes on no gateway",
                "one of " + ", ".join(f"{ns}/{n}" for ns, n in sorted(declared))
                if declared
                else "",
                "declare the Gateway, or correct the name",
            )


def find_unserved_gateways(context: LintContext) -> Iterator[Problem]:
    """A Gateway whose selector no gateway has: nothing listens for it."""
    workloads = gateway_workloads(context.resources)
    for gateway in context.of("Gateway"):
        selector = gateway.spec.selector
        if any(has_labels(w.labels, selector) for w in workloads):
            continue
        wanted = ", ".join(f"{key}: {value}" for key, value in selector.items())
        labels = "; ".join(
            ", ".join(f"{key}: {value}" for key, value in w.labels.items()) for w in workloads
        )
        yield gateway.problem(
            ("spec", "selector"),
            f"no gateway has the labels {wanted}; nothing listens for its servers",
            f"labels of a gateway: {labels}",
            "correct the selector, or apply a Deployment with them whose template is annotated "
            "inject.istio.io/templates: gateway",
        )


def find_ports_beyond_services(context: LintContext) -> Iterator[Problem]:
    """A server's port that no Service of its gateways has, as a port or as a targetPort
    (IST0162): here the gateway listens there all the same, and in a cluster nobody gets there by
    the Service."""
    workloads = gateway_workloads(context.resources)
    for gateway in context.of("Gateway"):
        own = [w for w in workloads if has_labels(w.labels, gateway.spec.selector)]
        services = [
            s
            for w in own
            for s in context.services
            if s.namespace == w.namespace and s.selector and has_labels(w.labels, s.selector)
        ]
        ports = {number for s in services for p in s.ports for number in (p.port, p.target_port)}
        for index, server in enumerate(gateway.spec.servers):
            if services and server.port.number not in ports:
                names = ", ".join(sorted({f"{s.namespace}/{s.name}" for s in services}))
                yield gateway.problem(
                    ("spec", "servers", index, "port"),
                    f"{server.port.number} is no port of {names}: in a cluster nobody reaches it "
                    "by that Service",
                    remedy="add it to the Service, or use one of its ports",
                )


def find_conflicting_servers(context: LintContext) -> Iterator[Problem]:
    """A server that another one on its port keeps out: the first decides whether the port speaks
    plain HTTP, TLS or TCP (Istio: mergeGateways)."""
    workloads = gateway_workloads(context.resources)
    for workload in workloads:
        first: dict[int, tuple[str, str]] = {}
        for gateway in context.of("Gateway"):
            if not has_labels(workload.labels, gateway.spec.selector):
                continue
            for index, server in enumerate(gateway.spec.servers):
                number = server.port.number
                kind = _kind(server.port)
                other, title = first.setdefault(number, (kind, gateway.title))
                if other != kind:
                    yield gateway.problem(
                        ("spec", "servers", index, "port"),
                        f"{number} speaks {other} already, by {title}; this server is left out",
                        remedy="give it a port of its own",
                    )


def _kind(port: GatewayServerPort) -> str:
    return "HTTP" if port.speaks_http else "TLS" if port.speaks_tls else "TCP"


def find_unused_gateways(context: LintContext) -> Iterator[Problem]:
    """A Gateway without a VirtualService answers every request with 404, and closes every
    connection of a TCP or TLS server."""
    names = {
        gateway_key(name, rule.namespace)
        for rule in context.of("VirtualService")
        for _, name in _gateway_names(rule)
    }
    for gateway in context.of("Gateway"):
        modes = {server.tls.mode for server in gateway.spec.servers if server.tls}
        if (gateway.namespace, gateway.name) not in names and modes != {"AUTO_PASSTHROUGH"}:
            yield gateway.problem(
                ("spec",),
                "no VirtualService names this Gateway; Istio answers every request with 404",
                remedy=f"write {gateway.namespace}/{gateway.name} in a VirtualService's gateways",
            )


def find_unserved_hosts(context: LintContext) -> Iterator[Problem]:
    """A VirtualService bound to a Gateway that serves none of its hosts there."""
    declared = {(g.namespace, g.name): g for g in context.of("Gateway")}
    for rule in context.of("VirtualService"):
        for index, name in enumerate(rule.spec.gateways):
            gateway = declared.get(gateway_key(name, rule.namespace))
            if gateway is None or not rule.spec.hosts:
                continue
            gateway_hosts = [h for server in gateway.spec.servers for h in server.hosts]
            plain = [host.rpartition("/")[2] for host in gateway_hosts]
            if not any(
                _overlap(fqdn(host, rule.namespace), p) for host in rule.spec.hosts for p in plain
            ):
                yield rule.problem(
                    ("spec", "gateways", index),
                    f"{gateway.title} serves {', '.join(gateway_hosts)} and none of this rule's "
                    "hosts; Istio makes no route of it there",
                    remedy="add the host to the Gateway's servers, or correct the rule's hosts",
                )


def _overlap(host: str, gateway_hosts: str) -> bool:
    return covers(host, gateway_hosts) or covers(gateway_hosts, host)


def _gateway_names(rule: Resource) -> Iterator[tuple[FieldPath, str]]:
    for index, name in enumerate(rule.spec.gateways):
        yield ("spec", "gateways", index), name
    for kind in ("http", "tls", "tcp"):
        for number, route in enumerate(getattr(rule.spec, kind)):
            for entry, match in enumerate(route.match):
                for index, name in enumerate(match.gateways):
                    yield ("spec", kind, number, "match", entry, "gateways", index), name
