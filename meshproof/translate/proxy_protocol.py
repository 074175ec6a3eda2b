"""A DestinationRule's proxyProtocol: each connection begins with the PROXY header, before any TLS.

Istio: applyUpstreamProxyProtocol in core/cluster_traffic_policy.go.
"""

from __future__ import annotations

from meshproof.model.destination_rule import ProxyProtocol
from meshproof.translate.proto import Json, build_extension

_NAME = "envoy.transport_sockets.upstream_proxy_protocol"
_TYPE = "envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport"
_RAW = "envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer"
PLAIN: Json = build_extension("envoy.transport_sockets.raw_buffer", _RAW)
"""The transport socket of plain text."""


def add_header(transport: Json, rule: ProxyProtocol | None) -> Json:
    """The TLS fields of a cluster, each transport socket with the header before it."""
    if rule is None:
        return transport
    if "transport_socket_matches" not in transport:
        return {"transport_socket": _wrap(transport.get("transport_socket", PLAIN), rule)}
    return {
        "transport_socket_matches": [
            {**match, "transport_socket": _wrap(match["transport_socket"], rule)}
            for match in transport["transport_socket_matches"]
        ]
    }


def _wrap(socket: Json, rule: ProxyProtocol) -> Json:
    return build_extension(_NAME, _TYPE, config={"version": rule.version}, transport_socket=socket)
