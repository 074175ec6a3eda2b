"""Istio's Gateways as those of the Gateway API, where their servers can be said without loss. Pure.

Each gets an Envoy, a Service and an address of its own, instead of those of the workloads that the
old one selects.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshproof.gateway_api.to_http_rules import Change, LossError
from meshproof.model.discovery_selector import NAME_LABEL
from meshproof.model.gateway import Gateway, GatewayServer
from meshproof.model.resource import Resource

Document = dict[str, Any]
_SAID = frozenset(("mode", "credential_name"))
"""What of a server's TLS a listener has."""


def convert_gateway(resource: Resource) -> tuple[Document, list[Change]]:
    """The Gateway, and what is different now. Raises LossError."""
    spec: Gateway = resource.spec
    listeners: list[Document] = []
    secrets: set[str] = set()
    for index, server in enumerate(spec.servers):
        body = _listener(server, f"servers[{index}]")
        secrets |= {ref["name"] for ref in body.get("tls", {}).get("certificateRefs", ())}
        base = f"{body['protocol'].lower()}-{body['port']}"
        for host in server.hosts:
            number = sum(entry["name"].startswith(base) for entry in listeners)
            name = f"{base}-{number}" if number else base
            listeners.append({"name": name, **body, **_names(host)})
    selector = ", ".join(f"{key}: {value}" for key, value in spec.selector.items())
    changes = [f"it has an Envoy and an address of its own now, instead of those of {selector}"]
    changes += [f"Secret {name} is read from {resource.namespace} now" for name in sorted(secrets)]
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": resource.name, "namespace": resource.namespace},
        "spec": {"gatewayClassName": "istio", "listeners": listeners},
    }, changes


def _listener(server: GatewayServer, at: str) -> Document:
    """Without its name and hosts."""
    port = server.port
    if port.speaks_http:
        if server.tls is not None:
            raise LossError(f"{at}.tls redirects: write an HTTPRoute with a RequestRedirect")
        return {"port": port.number, "protocol": "HTTP"}
    tls = server.tls
    if port.protocol != "HTTPS" or tls is None or tls.mode != "SIMPLE":
        raise LossError(f"{at} is neither HTTP nor HTTPS that ends here: write its routes yourself")
    unsaid = [name for name in tls.model_fields_set - _SAID if getattr(tls, name)]
    if unsaid or not tls.credential_name:
        fields = ", ".join(f"tls.{type(tls).model_fields[name].alias}" for name in sorted(unsaid))
        raise LossError(f"{at}: {fields or 'a certificate without credentialName'} is not said")
    certificate = {"mode": "Terminate", "certificateRefs": [{"name": tls.credential_name}]}
    return {"port": port.number, "protocol": "HTTPS", "tls": certificate}


def _names(host: str) -> Document:
    """The hostname of a listener, and whose routes it takes."""
    namespace, slash, name = host.rpartition("/")
    allowed: Document = {"from": "All"}
    if slash and namespace == ".":
        allowed = {"from": "Same"}
    elif slash and namespace != "*":
        labels = {"matchLabels": {NAME_LABEL: namespace}}
        allowed = {"from": "Selector", "selector": labels}
    names: Document = {} if name == "*" else {"hostname": name}
    return {**names, "allowedRoutes": {"namespaces": allowed}}


def check_backends(route: Document) -> None:
    """A route at a Gateway may lead to its own namespace alone. Raises LossError."""
    for reference in _references(route):
        if "namespace" in reference:
            place = f"{reference['namespace']}/{reference['name']}"
            raise LossError(f"Service {place} wants a ReferenceGrant: write one first")


def _references(value: Any) -> Iterator[Document]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "backendRefs":
                yield from item
            if key == "backendRef":
                yield item
            yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)
