"""Where the keys of RequestAuthentications are fetched from: declared outside hosts alone. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from meshproof.errors import Problem
from meshproof.model.resource import Resource
from meshproof.project import Project


def undeclared(resources: Iterable[Resource], project: Project) -> Iterator[Problem]:
    """Each ``jwksUri`` that leads to no declared host and port: no sidecar could ever fetch it."""
    known = {
        (name.lower(), port)
        for host, declared in project.outside.items()
        for name in (host, *declared.aliases)
        for port in declared.ports
    }
    for resource in resources:
        if resource.kind != "RequestAuthentication":
            continue
        for index, rule in enumerate(resource.spec.jwt_rules):
            if rule.jwks or not rule.jwks_uri:
                continue
            uri = urlsplit(rule.jwks_uri)
            host, port = (uri.hostname or "").lower(), uri.port or 80
            if (host, port) not in known:
                yield resource.problem(
                    ("spec", "jwtRules", index, "jwksUri"),
                    f"{host}:{port} is no declared outside host",
                    "one of " + ", ".join(f"{h}:{p}" for h, p in sorted(known)) if known else "",
                    "declare it (outside: or --outside), or put the keys in jwks",
                )
