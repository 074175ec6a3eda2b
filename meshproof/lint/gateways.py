"""Gateways that a VirtualService names and nobody declares: that part of it is served nowhere.

And Gateways whose certificate is missing."""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.errors import Problem
from meshproof.lint.view import MESH, View
from meshproof.model.resource import Path, Resource
from meshproof.translate.names import gateway_key
from meshproof.translate.world import ROOT_NAMESPACE


def unknown_gateways(view: View) -> Iterator[Problem]:
    """``spec.gateways`` and ``match[].gateways`` of every VirtualService."""
    declared = {(g.namespace, g.name) for g in view.of("Gateway")}
    for rule in view.of("VirtualService"):
        for path, name in _named(rule):
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


def missing_certificates(view: View) -> Iterator[Problem]:
    """HTTPS servers whose Secret is not in the gateway's own namespace: nothing listens there."""
    pairs = (("tls.crt", "tls.key"), ("cert", "key"))
    usable = {
        (s.namespace, s.name)
        for s in view.of("Secret")
        if any(pair[0] in s.spec.texts and pair[1] in s.spec.texts for pair in pairs)
    }
    for gateway in view.of("Gateway"):
        for index, server in enumerate(gateway.spec.servers):
            name = server.tls.credential_name if server.tls else None
            if name and (ROOT_NAMESPACE, name) not in usable:
                yield gateway.problem(
                    ("spec", "servers", index, "tls", "credentialName"),
                    f"there is no Secret {ROOT_NAMESPACE}/{name} with tls.crt and tls.key; "
                    "the server is not served",
                    remedy=f"put it into the gateway's namespace, {ROOT_NAMESPACE}",
                )


def _named(rule: Resource) -> Iterator[tuple[Path, str]]:
    for index, name in enumerate(rule.spec.gateways):
        yield ("spec", "gateways", index), name
    for number, route in enumerate(rule.spec.http):
        for entry, match in enumerate(route.match):
            for index, name in enumerate(match.gateways):
                yield ("spec", "http", number, "match", entry, "gateways", index), name
