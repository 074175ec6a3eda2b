"""Gateways that a VirtualService names and nobody declares: that part of it is served nowhere."""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.errors import Problem
from meshproof.lint.view import MESH, View
from meshproof.model.resource import Path, Resource
from meshproof.translate.names import gateway_key


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


def _named(rule: Resource) -> Iterator[tuple[Path, str]]:
    for index, name in enumerate(rule.spec.gateways):
        yield ("spec", "gateways", index), name
    for number, route in enumerate(rule.spec.http):
        for entry, match in enumerate(route.match):
            for index, name in enumerate(match.gateways):
                yield ("spec", "http", number, "match", entry, "gateways", index), name
