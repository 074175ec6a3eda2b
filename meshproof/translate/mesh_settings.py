"""What a MeshConfig changes of HTTP connection managers and virtual hosts.

Istio: buildHTTPConnectionManager (core/listener_builder.go), buildGatewayConnectionManager
(core/gateway.go), buildSidecarInboundHTTPOpts (core/listener_inbound.go) and proxy_headers.go of
pilot/pkg/networking.
"""

from __future__ import annotations

from typing import Literal

from meshproof.model.mesh_config import MeshConfig
from meshproof.model.proxy_config import ClientCertDetails, ProxyHeaders
from meshproof.translate.proto import Json

SERVER_NAME = "istio-envoy"
_NORMALIZATIONS: dict[str, Json] = {
    "NONE": {"normalize_path": False},
    "MERGE_SLASHES": {"merge_slashes": True},
    "DECODE_AND_MERGE_SLASHES": {
        "merge_slashes": True,
        "path_with_escaped_slashes_action": "UNESCAPE_AND_FORWARD",
    },
}
_SETTABLE = ("APPEND_FORWARD", "SANITIZE_SET")
"""Under these alone the details of the client's certificate are added."""


def connection_manager_settings(
    mesh: MeshConfig, side: Literal["outbound", "inbound", "gateway"]
) -> Json:
    """Fields of the connection managers of one kind of listener."""
    headers = mesh.default_config.proxy_headers or ProxyHeaders()
    settings = dict(_NORMALIZATIONS.get(mesh.path_normalization.normalization, {}))
    if side != "outbound":
        settings["server_name"] = SERVER_NAME
    if headers.server is not None and headers.server.disabled:
        settings.pop("server_name", None)
        settings["server_header_transformation"] = "PASS_THROUGH"
    elif headers.server is not None and headers.server.value:
        settings["server_name"] = headers.server.value
    if headers.request_id is not None and headers.request_id.disabled:
        settings["generate_request_id"] = False
    if headers.x_forwarded_port is not None and headers.x_forwarded_port.enabled:
        settings["append_x_forwarded_port"] = True
    if side == "inbound":
        settings |= _inbound_certificates(headers)
    return settings | _gateway_topology(mesh) if side == "gateway" else settings


def _inbound_certificates(headers: ProxyHeaders) -> Json:
    mode = headers.forwarded_client_cert
    details = headers.set_current_client_cert_details or ClientCertDetails()
    fields: Json = {
        "forward_client_cert_details": "APPEND_FORWARD" if mode == "UNDEFINED" else mode
    }
    fields["set_current_client_cert_details"] = {
        "subject": details.subject is not False,
        "dns": details.dns is not False,
        "uri": details.uri is not False,
        **({"cert": True} if details.cert else {}),
        **({"chain": True} if details.chain else {}),
    }
    return fields


def _gateway_topology(mesh: MeshConfig) -> Json:
    topology = mesh.default_config.gateway_topology
    mode = topology.forward_client_cert_details if topology is not None else "UNDEFINED"
    fields: Json = {"forward_client_cert_details": "SANITIZE_SET" if mode == "UNDEFINED" else mode}
    if fields["forward_client_cert_details"] in _SETTABLE:
        details = {"subject": True, "cert": True, "dns": True, "uri": True}
        fields["set_current_client_cert_details"] = details
    if topology is not None and topology.num_trusted_proxies:
        fields["xff_num_trusted_hops"] = topology.num_trusted_proxies
    return fields


def counts_attempts(mesh: MeshConfig) -> bool:
    """Whether requests carry ``x-envoy-attempt-count``."""
    headers = mesh.default_config.proxy_headers
    return not (headers and headers.attempt_count and headers.attempt_count.disabled)


def hides_debug_headers(mesh: MeshConfig) -> bool:
    """Whether the router adds no ``x-envoy-*`` headers."""
    headers = mesh.default_config.proxy_headers
    return bool(headers and headers.envoy_debug_headers and headers.envoy_debug_headers.disabled)
