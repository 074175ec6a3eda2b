"""Hosts that RequestAuthentications fetch their keys from: declared outside hosts alone. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from meshproof.errors import Problem
from meshproof.model.resource import Resource
from meshproof.project import Project


def find_undeclared(resources: Iterable[Resource], project: Project) -> Iterator[Problem]:
    """Each ``jwksUri`` of no declared host and port, from which no sidecar could fetch keys."""
    declared = {
        (name.lower(), port)
        for host, outside in project.outside.items()
        for name in (host, *outside.aliases)
        for port in outside.ports
    }
    expected = ", ".join(f"{host}:{port}" for host, port in sorted(declared))
    for resource in resources:
        if resource.kind != "RequestAuthentication":
            continue
        for index, rule in enumerate(resource.spec.jwt_rules):
            if rule.jwks or not rule.jwks_uri:
                continue
            uri = urlsplit(rule.jwks_uri)
            host, port = (uri.hostname or "").lower(), uri.port or 80
            if (host, port) not in declared:
                yield resource.problem(
                    ("spec", "jwtRules", index, "jwksUri"),
                    f"{host}:{port} is not a declared outside host",
                    f"one of {expected}" if declared else "",
                    "declare it (outside: or --outside), or put the keys in jwks",
                )
