"""The protocol of a Service's port, by Istio's rules.

``appProtocol`` wins, then the part of the port's name before the first ``-``. Istio sniffs a port
that has neither. Here it is HTTP, except for 443 (in practice TLS) and the ports for which Istio
assumes TCP: 25, 53, 3306 and 27017 (pkg/config/kube/conversion.go).
"""

from __future__ import annotations

from typing import Literal

from meshproof.model.kube_service import ServicePort

Protocol = Literal[
    "HTTP", "HTTP2", "GRPC", "GRPC-WEB", "HTTPS", "TLS", "TCP", "MONGO", "REDIS", "MYSQL"
]
Handling = Literal["HTTP", "HTTPS", "TLS", "TCP"]

_NAMES: dict[str, Protocol] = {
    "http": "HTTP",
    "http2": "HTTP2",
    "grpc": "GRPC",
    "grpc-web": "GRPC-WEB",
    "https": "HTTPS",
    "tls": "TLS",
    "tcp": "TCP",
    "mongo": "MONGO",
    "redis": "REDIS",
    "mysql": "MYSQL",
    "kubernetes.io/h2c": "HTTP2",
    "kubernetes.io/ws": "HTTP",
    "kubernetes.io/wss": "HTTPS",
}
_BY_NUMBER: dict[int, Protocol] = {25: "TCP", 53: "TCP", 3306: "TCP", 27017: "TCP", 443: "HTTPS"}
_HTTP = frozenset(("HTTP", "HTTP2", "GRPC", "GRPC-WEB"))

GRPC = frozenset(("GRPC", "GRPC-WEB"))
"""Protocols whose requests may be streams (Istio: protocol.IsGRPC)."""
H2 = frozenset(("HTTP2", "GRPC", "GRPC-WEB"))
"""Protocols for which a sidecar uses HTTP/2 (Istio: protocol.IsHTTP2)."""


def protocol_of(port: ServicePort) -> Protocol:
    """The port's protocol, by Istio's name."""
    return _declared_protocol(port) or "HTTP"


def assumed_protocol(number: int) -> Protocol:
    """The protocol of a port for which nobody declares one."""
    return _BY_NUMBER.get(number, "HTTP")


def speaks_h2(port: ServicePort) -> bool | None:
    """Whether the port takes HTTP/2; None if that is the client's choice (Istio sniffs it)."""
    protocol = _declared_protocol(port)
    return None if protocol is None else protocol in H2


def _declared_protocol(port: ServicePort) -> Protocol | None:
    """The protocol by appProtocol, name or number; None if none of them tells."""
    protocol = _NAMES.get((port.app_protocol or "").lower())
    if protocol is None and not port.app_protocol and port.name:
        name = port.name.lower()
        web = name == "grpc-web" or name.startswith("grpc-web-")
        protocol = "GRPC-WEB" if web else _NAMES.get(name.partition("-")[0])
    return protocol or _BY_NUMBER.get(port.port)


def handling_of(protocol: Protocol) -> Handling:
    """How a sidecar handles it: as requests (HTTP), or as an opaque connection."""
    if protocol in _HTTP:
        return "HTTP"
    if protocol == "HTTPS":
        return "HTTPS"
    return "TLS" if protocol == "TLS" else "TCP"
