"""Gateways in each other's way, as ``istioctl analyze`` finds them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from meshproof.errors import Problem
from meshproof.lint.context import MESH, LintContext
from meshproof.model.resource import Resource
from meshproof.model.virtual_service_route import claims_of
from meshproof.translate.host_names import covers, gateway_key


def find_conflicting_gateways(context: LintContext) -> Iterator[Problem]:
    """Two Gateways of one selector with one port and overlapping hosts: IST0145."""
    for first, second in combinations(context.of("Gateway"), 2):
        if first.spec.selector != second.spec.selector:
            continue
        for index, server in enumerate(second.spec.servers):
            rivals = [s for s in first.spec.servers if s.port.number == server.port.number]
            for number, host in enumerate(server.hosts):
                if any(_overlap(host, other) for rival in rivals for other in rival.hosts):
                    yield second.problem(
                        ("spec", "servers", index, "hosts", number),
                        f"{first.title} has this host at port {server.port.number} too, for the "
                        "same gateway",
                        remedy="serve it in one Gateway, or give each its own host",
                    )


def _overlap(one: str, other: str) -> bool:
    """The host parts; a namespace only says whose rules may name them."""
    names = [host.rpartition("/")[2] for host in (one, other)]
    spaces = [host.rpartition("/")[0] or "*" for host in (one, other)]
    if "*" not in spaces and spaces[0] != spaces[1]:
        return False
    return covers(names[0], names[1]) or covers(names[1], names[0])


def find_shared_certificates(context: LintContext) -> Iterator[Problem]:
    """One certificate at several Gateways: browsers reuse a connection for the other's hosts, and
    are answered 404 (IST0138)."""
    first: dict[tuple[object, str], Resource] = {}
    for gateway in context.of("Gateway"):
        for index, server in enumerate(gateway.spec.servers):
            name = server.tls.credential_name if server.tls else None
            if not name:
                continue
            key = (tuple(sorted(gateway.spec.selector.items())), name)
            other = first.setdefault(key, gateway)
            if other is not gateway:
                yield gateway.problem(
                    ("spec", "servers", index, "tls", "credentialName"),
                    f"{name} is the certificate of {other.title} too: over HTTP/2 a browser may "
                    "ask here for the other's hosts, and gets 404",
                    remedy="serve the hosts of one certificate in one Gateway",
                )


def find_unverified_claims(context: LintContext) -> Iterator[Problem]:
    """Routes by claims at a gateway that verifies no token: they never match (IST0149)."""
    declared = {(g.namespace, g.name): g for g in context.of("Gateway")}
    for rule in context.of("VirtualService"):
        names = [gateway_key(n, rule.namespace) for n in rule.spec.gateways if n != MESH]
        gateways = [declared[name] for name in names if name in declared]
        if not gateways or any(_verifies(context, gateway) for gateway in gateways):
            continue
        for index, route in enumerate(rule.spec.http):
            for number, match in enumerate(route.match):
                claims = [n for n in (*match.headers, *match.without_headers) if claims_of(n)]
                if claims:
                    yield rule.problem(
                        ("spec", "http", index, "match", number),
                        f"asks for {claims[0]}, but no RequestAuthentication is for "
                        f"{gateways[0].title}'s gateway: no claim is ever there",
                        remedy="apply one that selects the gateway's workload",
                    )


def _verifies(context: LintContext, gateway: Resource) -> bool:
    selector = gateway.spec.selector
    for authentication in context.of("RequestAuthentication"):
        chosen = authentication.spec.selector
        labels = chosen.match_labels if chosen else {}
        if authentication.spec.has_target or labels.items() <= selector.items():
            return True
    return False
