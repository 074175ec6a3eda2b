"""Hosts that RequestAuthentications fetch their keys from: declared outside hosts alone. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from meshproof.errors import Problem
from meshproof.model.jwks import authority
from meshproof.model.resource import Resource
from meshproof.project import Project


def find_undeclared(resources: Iterable[Resource], project: Project) -> Iterator[Problem]:
    """Each ``jwksUri``, or issuer without one, of no declared host and port: the mesh asks no
    other for keys."""
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
            if rule.key_source is None:
                continue
            host, port = authority(rule.key_source.url)
            if (host, port) in declared:
                continue
            field = "jwksUri" if rule.jwks_uri else "issuer"
            subject = f"{host}:{port}" if host else f'"{rule.issuer}", which is asked for its keys,'
            yield resource.problem(
                ("spec", "jwtRules", index, field),
                f"{subject} is not a declared outside host",
                f"one of {expected}" if declared else "",
                "declare it (outside: or --outside), or put the keys in jwks",
            )
