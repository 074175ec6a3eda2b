"""Gateways that nobody declares or names, that serve other hosts, or that lack a certificate."""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.errors import Problem
from meshproof.istio_names import ROOT_NAMESPACE
from meshproof.lint.context import MESH, LintContext
from meshproof.model.resource import Resource
from meshproof.sources.location import FieldPath
from meshproof.translate.host_names import covers, fqdn, gateway_key


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


def find_missing_certificates(context: LintContext) -> Iterator[Problem]:
    """HTTPS servers whose Secret is not in the gateway's own namespace: they do not listen."""
    pairs = (("tls.crt", "tls.key"), ("cert", "key"))
    usable = {
        (s.namespace, s.name)
        for s in context.of("Secret")
        if any(pair[0] in s.spec.texts and pair[1] in s.spec.texts for pair in pairs)
    }
    for gateway in context.of("Gateway"):
        for index, server in enumerate(gateway.spec.servers):
            name = server.tls.credential_name if server.tls else None
            if name and (ROOT_NAMESPACE, name) not in usable:
                yield gateway.problem(
                    ("spec", "servers", index, "tls", "credentialName"),
                    f"there is no Secret {ROOT_NAMESPACE}/{name} with tls.crt and tls.key; "
                    "the server is not served",
                    remedy=f"put it into the gateway's namespace, {ROOT_NAMESPACE}",
                )


def find_unused_gateways(context: LintContext) -> Iterator[Problem]:
    """A Gateway without a VirtualService answers every request with 404."""
    names = {
        gateway_key(name, rule.namespace)
        for rule in context.of("VirtualService")
        for _, name in _gateway_names(rule)
    }
    for gateway in context.of("Gateway"):
        if (gateway.namespace, gateway.name) not in names:
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
    for number, route in enumerate(rule.spec.http):
        for entry, match in enumerate(route.match):
            for index, name in enumerate(match.gateways):
                yield ("spec", "http", number, "match", entry, "gateways", index), name
