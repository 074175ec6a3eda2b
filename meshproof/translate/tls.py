"""Mutual TLS between sidecars: the TLS contexts of both sides, and their secrets.

Secrets arrive by SDS over the ADS stream, under Istio's names. Both sides speak TLS 1.2 or 1.3. The
client offers the ALPN ``istio``, by which a PERMISSIVE inbound listener recognises mesh traffic.
"""

from __future__ import annotations

from collections.abc import Iterable

from meshproof.model.mesh_config import MeshConfig
from meshproof.translate.proto import ADS, Json, build_extension
from meshproof.translate.world import Resource

CERTIFICATE = "default"
ROOT = "ROOTCA"
HTTP_ALPN = ("istio-http/1.0", "istio-http/1.1", "istio-h2")
"""What a client's sidecar offers for requests (mtlsHTTPALPNs of core/listener.go)."""
TCP_ALPN = ("istio-peer-exchange", "istio")
"""What it offers for other bytes (mtlsTCPWithMxcALPNs)."""
MESH_ALPN = (*TCP_ALPN, *HTTP_ALPN)

CONTEXTS = "envoy.extensions.transport_sockets.tls.v3"
VERSIONS: Json = {
    "tls_minimum_protocol_version": "TLSv1_2",
    "tls_maximum_protocol_version": "TLSv1_3",
}


def build_secrets(key_pem: str, chain_pem: str, root_pem: str) -> dict[str, Resource]:
    """The two secrets of a proxy by name; key and chain are one, so that rotation is one step."""
    return {
        CERTIFICATE: {
            "name": CERTIFICATE,
            "tls_certificate": {
                "certificate_chain": {"inline_string": chain_pem},
                "private_key": {"inline_string": key_pem},
            },
        },
        ROOT: {
            "name": ROOT,
            "validation_context": {"trusted_ca": {"inline_string": root_pem}},
        },
    }


def build_upstream_context(identities: Iterable[str], sni: str, *, h2: bool = False) -> Json:
    """The transport socket for calls to replicas with one of ``identities`` (exact URI SANs).
    ``h2``: the cluster speaks HTTP/2, and says so to gateways, which negotiate it."""
    return build_extension(
        "envoy.transport_sockets.tls",
        f"{CONTEXTS}.UpstreamTlsContext",
        sni=sni,
        common_tls_context=_common_context(
            identities,
            ("istio-h2", "istio", "h2") if h2 else ("istio-http/1.1", "istio", "http/1.1"),
        ),
    )


def build_downstream_context(mesh: MeshConfig) -> Json:
    """The transport socket of an inbound filter chain: the client must show a mesh certificate.

    It negotiates no ALPN, so that the connection manager recognises HTTP/2 by its preface. The
    ALPN that a client offers still selects the filter chain. The mesh's ``meshMTLS`` may want a
    later version, or name the ciphers (Istio: BuildInboundTLS).
    """
    context, settings = _common_context((), ()), mesh.mesh_mtls
    params = {**VERSIONS}
    if settings is not None and settings.min_protocol_version == "TLSV1_3":
        params["tls_minimum_protocol_version"] = "TLSv1_3"
    if settings is not None and settings.cipher_suites:
        params["cipher_suites"] = list(settings.cipher_suites)
    return build_extension(
        "envoy.transport_sockets.tls",
        f"{CONTEXTS}.DownstreamTlsContext",
        require_client_certificate=True,
        common_tls_context={**context, "tls_params": params},
    )


def default_params(mesh: MeshConfig) -> Json:
    """What ``tlsDefaults`` say of TLS that is not the mesh's own: curves and ciphers (Istio:
    applyTLSDefaults in core/cluster_tls.go, applyDownstreamTLSDefaults in core/listener.go)."""
    settings = mesh.tls_defaults
    if settings is None:
        return {}
    fields = {"ecdh_curves": settings.ecdh_curves, "cipher_suites": settings.cipher_suites}
    return {name: list(values) for name, values in fields.items() if values}


def _common_context(identities: Iterable[str], alpn: Iterable[str]) -> Json:
    matchers = [{"san_type": "URI", "matcher": {"exact": name}} for name in identities]
    defaults: Json = {"match_typed_subject_alt_names": matchers} if matchers else {}
    return {
        "tls_params": VERSIONS,
        "alpn_protocols": list(alpn),
        "tls_certificate_sds_secret_configs": [{"name": CERTIFICATE, "sds_config": ADS}],
        "combined_validation_context": {
            "default_validation_context": defaults,
            "validation_context_sds_secret_config": {"name": ROOT, "sds_config": ADS},
        },
    }
