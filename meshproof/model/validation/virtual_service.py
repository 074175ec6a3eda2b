"""VirtualService, as ``ValidateVirtualService`` judges it. HTTP routes: ``http_route``."""

from __future__ import annotations

from meshproof.model.string_types import is_ip, short
from meshproof.model.validation.headers import is_claim
from meshproof.model.validation.http_route import check_http_route
from meshproof.model.validation.node import Node, Violations
from meshproof.model.validation.routes import (
    check_destinations,
    check_gateway_names,
    check_match,
)
from meshproof.model.validation.values import (
    check_export_to,
    check_port,
    covers,
    subnet,
    wildcard_domain,
)

_MESH = "mesh"
_SEMANTICS = "internal.istio.io/route-semantics"
"""Set on what istiod made of the Gateway API's routes."""


def check_virtual_service(document: Node) -> Violations:
    spec, metadata = document.get("spec"), document.get("metadata")
    gateways = [gateway.text for gateway in spec.items("gateways")]
    of_gateway_api = metadata.get("annotations", _SEMANTICS).text == "gateway"
    yield from check_gateway_names(spec, of_gateway_api=of_gateway_api)
    at_gateway = bool(gateways) and _MESH not in gateways
    if not at_gateway:
        yield from _check_claims(spec, gateways)
    yield from _check_hosts(spec, at_gateway=at_gateway)
    if not any(spec.items(kind) for kind in ("http", "tcp", "tls")):
        yield spec.refuse("has no routes", "http, tcp or tls")
    delegate = not spec.items("hosts")
    for kind in ("gateways", "tcp", "tls") if delegate else ():
        if spec.items(kind):
            yield spec.get(kind).refuse(
                "are set on a delegate (it has no hosts)", "none", "give it hosts, or http alone"
            )
    for route in spec.items("http"):
        yield from check_http_route(route, delegate=delegate, of_gateway_api=of_gateway_api)
    for route in spec.items("tls"):
        yield from _check_tls_route(route, spec, at_gateway=at_gateway)
    for route in (*spec.items("tls"), *spec.items("tcp")):
        yield from _check_l4_route(route, of_gateway_api=of_gateway_api)
    namespace = metadata.get("namespace").text
    yield from check_export_to(spec, namespace=namespace, may_hide=False)


def _check_claims(spec: Node, gateways: list[str]) -> Violations:
    for route in spec.items("http"):
        for match in route.items("match"):
            for field in ("headers", "withoutHeaders"):
                for name, value in match.entries(field):
                    if is_claim(name):
                        bound = ", ".join(gateways) or _MESH
                        yield value.refuse(
                            f"{name} is a claim, and only gateways route by claims; "
                            f"this rule is for {bound}",
                            "a gateway alone in gateways",
                        )


def _check_hosts(spec: Node, *, at_gateway: bool) -> Violations:
    hosts = spec.items("hosts")
    by_sni = any(m.items("sniHosts") for r in spec.items("tls") for m in r.items("match"))
    valid = True
    for host in hosts:
        problem = _name_problem(host.text, at_gateway=at_gateway, by_sni=by_sni)
        if problem and not is_ip(host.text):
            valid = False
            yield host.refuse(problem, "a DNS name, *.suffix or an address")
        elif host.text == "*" and not at_gateway:
            valid = False
            yield host.refuse(
                "* is every host, which a rule for the mesh gateway may not name",
                "the names of services",
                "bind it to a gateway alone, or name the hosts",
            )
    for index, host in enumerate(hosts if valid else ()):
        twin = next((h.text for h in hosts[:index] if _overlap(h.text, host.text)), None)
        if twin is not None:
            yield host.refuse(
                f"{host.text} overlaps with {twin} in the same rule",
                "each host once",
                "remove one of them",
            )


def _overlap(one: str, other: str) -> bool:
    """``host.Name.Matches``."""
    return covers(one, other) or covers(other, one)


def _name_problem(name: str, *, at_gateway: bool, by_sni: bool) -> str:
    """``ValidateWildcardDomainForVirtualServiceBoundToGateway``: a gateway's SNI may be that of
    AUTO_PASSTHROUGH, ``outbound_.80_._.web.shop.svc.cluster.local``."""
    if at_gateway and by_sni and name.startswith("outbound_"):
        parts = name.split("_")
        is_sni = len(parts) >= 4 and any(c.isdigit() for c in parts[1])
        if is_sni and any(c.isalpha() for c in parts[3]):
            return ""
        return f'"{short(name)}" is not of the form outbound_.PORT_._.HOST'
    return wildcard_domain(name)


def _check_tls_route(route: Node, spec: Node, *, at_gateway: bool) -> Violations:
    hosts = [host.text for host in spec.items("hosts")]
    matches = route.items("match")
    if not matches:
        yield route.refuse("has no match", "match with sniHosts")
    for match in matches:
        names = match.items("sniHosts")
        if not names:
            yield match.refuse("has no sniHosts", "at least one")
        for name in names:
            problem = _name_problem(name.text, at_gateway=at_gateway, by_sni=True)
            if problem and is_ip(name.text):
                yield name.warn(
                    f"{name.text} is an address, which most clients send in no SNI",
                    "a DNS name",
                )
            elif problem:
                yield name.refuse(problem, "a DNS name or *.suffix")
            elif not any(covers(host, name.text) for host in hosts):
                yield name.refuse(
                    f"{name.text} is within none of hosts ({', '.join(hosts)})",
                    "one of them, or a name within",
                )


def _check_l4_route(route: Node, *, of_gateway_api: bool) -> Violations:
    for match in route.items("match"):
        yield from check_match(match)
        for entry in match.items("destinationSubnets"):
            yield from entry.check(subnet, "10.1.2.3 or 10.1.0.0/16")
        if match.get("port").number:
            yield from check_port(match.get("port"))
    if not route.items("route"):
        yield route.refuse("has no route", "a destination")
    yield from check_destinations(route, of_gateway_api=of_gateway_api)
