"""What HTTP, TLS and TCP routes share: destinations, weights, names of gateways, sources."""

from __future__ import annotations

from meshproof.model.string_types import short
from meshproof.model.validation.node import Node, Violations
from meshproof.model.validation.values import (
    check_labels,
    check_port,
    dns_label,
    fqdn,
    wildcard_domain,
)

SUBSET = "letters, digits and inner hyphens, at most 63"


def check_destination(destination: Node) -> Violations:
    """``validateDestination``."""
    host, subset = destination.get("host"), destination.get("subset")
    if host.text == "*":
        yield host.refuse("* is every host, and no destination", "the name of a service")
    else:
        yield from host.check(wildcard_domain, "the name of a service")
    if subset.text:
        yield from check_subset_name(subset)
    port = destination.get("port")
    if port.is_set:
        yield from check_port(port.get("number"))


def check_subset_name(name: Node) -> Violations:
    """``validateSubsetName``."""
    if not name.text:
        yield name.refuse("is empty" if name.is_set else "is missing", "the name of a subset")
    else:
        yield from name.check(dns_label, SUBSET)


def check_destinations(route: Node, *, of_gateway_api: bool = False) -> Violations:
    """``validateRouteDestinations``: each destination, and the sum of the weights."""
    entries = route.items("route")
    for entry in entries:
        destination = entry.get("destination")
        if not destination.is_set:
            yield destination.refuse("is missing", "a host")
        elif not of_gateway_api:
            yield from check_destination(destination)
        if entry.get("weight").number < 0:
            yield entry.get("weight").refuse("is negative", "0 or more")
    if len(entries) > 1 and not sum(entry.get("weight").number for entry in entries):
        yield route.refuse("the weights of its destinations add up to 0", "more")


def check_match(match: Node) -> Violations:
    """What all kinds of match have: the workloads and the gateways that a request comes from."""
    yield from check_labels(match.get("sourceLabels"))
    yield from check_gateway_names(match)


def check_gateway_names(node: Node, *, of_gateway_api: bool = False) -> Violations:
    """``validateGatewayNames``: the first name without a namespace ends Istio's check."""
    for gateway in node.items("gateways"):
        namespace, slash, name = gateway.text.partition("/")
        if not slash:
            if "." in gateway.text:
                short_name, its_namespace = gateway.text.split(".")[:2]
                yield gateway.warn(
                    f"{gateway.text} is the old way to name a gateway",
                    f"{its_namespace}/{short_name}",
                )
            yield from gateway.check(fqdn, "NAME or NAMESPACE/NAME")
            return
        parts = (namespace,) if of_gateway_api else (namespace, name)
        bad = next((part for part in parts if dns_label(part)), None)
        if bad is not None:
            yield gateway.refuse(
                f'"{short(gateway.text)}" names no gateway: "{short(bad)}" is not a DNS label',
                "NAME or NAMESPACE/NAME",
            )
