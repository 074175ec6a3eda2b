"""An EgressRule as a ServiceEntry.

- A domain: resolution DNS. One address: a made-up host ``<rule>.<namespace>.svc.cluster.local``
  with that address, resolution STATIC and the address as its endpoint; 0.4 used the connection's
  own destination (v1's NONE), which comes to the same for one address.
- Refused by name, since no mesh of ours honours them: wildcards, ranges of addresses, and
  protocol https (the app spoke plain HTTP to host:443 and the sidecar began the TLS).
- Two rules for one destination: the one with the smaller namespace/name was honoured alone.
- Routes to the outside keep v1's defaults (no timeout); 0.4 cut them after Envoy's 15 s.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

from meshproof.errors import Problem
from meshproof.istio04.refs import is_address
from meshproof.istio04.subsets import API_VERSION, Names
from meshproof.istio_names import service_host
from meshproof.model.resource import Resource
from meshproof.model.service_entry import ServiceEntry
from meshproof.model.v1alpha2 import EgressRule
from meshproof.sources.location import FieldPath, Location, Origin

_SERVICE: FieldPath = ("spec", "destination", "service")


def winners(rules: Iterable[Resource]) -> dict[str, Resource]:
    """By destination, the rule that 0.4 honoured: the smallest namespace/name."""
    best: dict[str, Resource] = {}
    for rule in sorted(rules, key=lambda r: (r.namespace, r.name)):
        best.setdefault(destination(rule), rule)
    return best


def destination(rule: Resource) -> str:
    """The domain or address as one spelling: lower case, ``/32`` left out."""
    spec: EgressRule = rule.spec
    text = (spec.destination.service or "").lower()
    if not is_address(text):
        return text
    network = ipaddress.ip_network(text, strict=False)
    return str(network.network_address if network.num_addresses == 1 else network)


def egress_problems(rule: Resource) -> list[Problem]:
    """What of ``rule`` is not honoured, or never was."""
    spec: EgressRule = rule.spec
    to = destination(rule)
    problems: list[Problem] = []
    if "*" in to:
        problems.append(
            rule.problem(
                _SERVICE, f"{to} is a wildcard, not honoured yet", "one domain", "list the hosts"
            )
        )
    if is_address(to) and "/" in to:
        problems.append(
            rule.problem(
                _SERVICE, f"{to} is a range, not honoured yet", "one address", "list the addresses"
            )
        )
    seen: set[int] = set()
    for index, port in enumerate(spec.ports):
        path = ("spec", "ports", index)
        if port.protocol == "https":
            problems.append(_https(rule, (*path, "protocol")))
        if port.port in seen:
            problems.append(rule.problem((*path, "port"), f"{port.port} stands twice", "once"))
        seen.add(port.port)
    return problems


def lower_egress(rule: Resource, names: Names, hosts: Names) -> Resource:
    """``hosts`` knows the services' names: a made-up host must not take one of theirs."""
    spec: EgressRule = rule.spec
    to = destination(rule)
    made: dict[str, Any] = {"location": "MESH_EXTERNAL"}
    if is_address(to):
        short = hosts.free("host", rule.namespace, rule.name)
        made |= {
            "hosts": [service_host(short, rule.namespace)],
            "addresses": [to],
            "resolution": "STATIC",
            "endpoints": [{"address": to}],
        }
    else:
        made |= {"hosts": [to], "resolution": "DNS"}
    made["ports"] = [
        {"number": p.port, "name": f"{p.protocol}-{p.port}", "protocol": p.protocol.upper()}
        for p in spec.ports
    ]
    return Resource(
        api_version=API_VERSION,
        kind="ServiceEntry",
        name=names.free("ServiceEntry", rule.namespace, rule.name),
        namespace=rule.namespace,
        labels=dict(rule.labels),
        spec=ServiceEntry.model_validate(made),
        location=Location(rule.location.file, rule.location.line, origins=_origins(rule)),
    )


def _origins(rule: Resource) -> Mapping[FieldPath, Origin]:
    """Fields that both dialects have keep their line; the others point at the destination."""
    origins: dict[FieldPath, Origin] = {(): rule.origin(("spec",))}
    for name in ("hosts", "addresses", "endpoints"):
        origins["spec", name] = rule.origin(_SERVICE)
    for index in range(len(rule.spec.ports)):
        origins["spec", "ports", index] = rule.origin(("spec", "ports", index))
    return origins


def _https(rule: Resource, path: FieldPath) -> Problem:
    return rule.problem(
        path,
        "https made the sidecar begin TLS for plain HTTP, which is not honoured yet",
        "http or tcp",
        "or a ServiceEntry of networking.istio.io/v1 with protocol TLS, the app speaking TLS",
    )
