"""An EgressRule as a ServiceEntry.

- A domain: resolution DNS. A wildcard (``*.a.test``, ``*a.test``): resolution NONE, as 0.4 took
  the connection's own destination. One address: a generated host
  ``<rule>.<namespace>.svc.cluster.local`` with that address, resolution STATIC and the address as
  its endpoint; 0.4 used the connection's own destination, which is the same for one address. A
  range of addresses: the same host, resolution NONE, for protocol http alone.
- Protocol https: the app speaks plain HTTP to host:443 (``http://host:443``) and the sidecar
  originates TLS, without verifying the server (0.4: pilot/proxy/envoy, SSLContextExternal without
  a CA file). A DestinationRule's port settings do it.
- ``use_egress_proxy: true`` is refused, as by 0.4's own validation.
- Two rules for one destination: only the one with the smaller namespace/name was honoured.
- Routes to the outside keep v1's defaults (no timeout); 0.4 cut them after Envoy's 15 s.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

from meshproof.errors import Problem
from meshproof.istio04.destination_rules import API_VERSION
from meshproof.istio04.references import is_address
from meshproof.istio04.unique_names import UniqueNames
from meshproof.istio_names import service_host
from meshproof.model.resource import Resource
from meshproof.model.service_entry import ServiceEntry
from meshproof.model.v1alpha2 import EgressRule
from meshproof.sources.location import FieldPath, Location, Origin

_V1 = {"http": "HTTP", "https": "HTTP", "tcp": "TCP"}
"""What the app speaks, by 0.4's protocol."""
_SERVICE: FieldPath = ("spec", "destination", "service")


def find_honoured(rules: Iterable[Resource]) -> dict[str, Resource]:
    """The rule that 0.4 honoured for each destination: the one with the smallest namespace/name."""
    best: dict[str, Resource] = {}
    for rule in sorted(rules, key=lambda r: (r.namespace, r.name)):
        best.setdefault(normalize_destination(rule), rule)
    return best


def normalize_destination(rule: Resource) -> str:
    """The domain or address in one spelling: lower case, without ``/32``."""
    spec: EgressRule = rule.spec
    text = (spec.destination.service or "").lower()
    if not is_address(text):
        return text
    network = ipaddress.ip_network(text, strict=False)
    return str(network.network_address if network.num_addresses == 1 else network)


def check_egress(rule: Resource) -> list[Problem]:
    """What ``rule`` says that is not honoured, or never was."""
    spec: EgressRule = rule.spec
    host = normalize_destination(rule)
    problems: list[Problem] = []
    ports = {p.protocol for p in spec.ports}
    if host == "*":
        problems.append(rule.problem(_SERVICE, "* is every host", "a domain or *.suffix"))
    if host.startswith("*") and "tcp" in ports:
        problems.append(
            rule.problem(
                _SERVICE,
                f"{host} is a wildcard, which a TCP connection does not name",
                "an address, or protocol http",
            )
        )
    if is_address(host) and "/" in host and ports != {"http"}:
        problems.append(
            rule.problem(
                _SERVICE,
                f"{host} is a range, which meshproof's embedded mesh does not honour yet for "
                "ports that are not http",
                "one address",
                "list the addresses",
            )
        )
    numbers: set[int] = set()
    for index, port in enumerate(spec.ports):
        path = ("spec", "ports", index)
        if port.port in numbers:
            problems.append(rule.problem((*path, "port"), f"{port.port} is listed twice", "once"))
        numbers.add(port.port)
    return problems


def find_tls_ports(rule: Resource) -> list[int]:
    """The indices of the ports at which the sidecar originates TLS."""
    return [index for index, port in enumerate(rule.spec.ports) if port.protocol == "https"]


def lower_egress(rule: Resource, names: UniqueNames, hosts: UniqueNames) -> Resource:
    """``hosts`` holds the services' names, so that a generated host collides with none."""
    spec: EgressRule = rule.spec
    host = normalize_destination(rule)
    spec_fields: dict[str, Any] = {"location": "MESH_EXTERNAL"}
    if is_address(host):
        is_range = "/" in host
        short = hosts.claim("host", rule.namespace, rule.name)
        spec_fields |= {
            "hosts": [service_host(short, rule.namespace)],
            "addresses": [host],
            "resolution": "NONE" if is_range else "STATIC",
        }
        if not is_range:
            spec_fields["endpoints"] = [{"address": host}]
    else:
        spec_fields |= {"hosts": [host], "resolution": "NONE" if host[0] == "*" else "DNS"}
    spec_fields["ports"] = [
        {
            "number": p.port,
            "name": f"{_V1[p.protocol].lower()}-{p.port}",
            "protocol": _V1[p.protocol],
        }
        for p in spec.ports
    ]
    return Resource(
        api_version=API_VERSION,
        kind="ServiceEntry",
        name=names.claim("ServiceEntry", rule.namespace, rule.name),
        namespace=rule.namespace,
        labels=dict(rule.labels),
        spec=ServiceEntry.model_validate(spec_fields),
        location=Location(rule.location.file, rule.location.line, origins=_origins(rule)),
    )


def _origins(rule: Resource) -> Mapping[FieldPath, Origin]:
    """Fields that both API versions have keep their line; the others point at the destination."""
    origins: dict[FieldPath, Origin] = {(): rule.origin(("spec",))}
    for name in ("hosts", "addresses", "endpoints"):
        origins["spec", name] = rule.origin(_SERVICE)
    for index in range(len(rule.spec.ports)):
        origins["spec", "ports", index] = rule.origin(("spec", "ports", index))
    return origins
