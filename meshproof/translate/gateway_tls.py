"""TLS that a gateway terminates: certificates of Secrets and files, and what clients must show.

Istio: BuildListenerTLSContext in core/listener.go; pilot/pkg/credentials/kube/secrets.go for the
Secrets. A Secret's contents are part of the listener, so that a new certificate is live with the
change that brings it. Without its certificate, or without the authorities that MUTUAL wants, a
server is left out: nothing listens for its names, where Istio's listener fails the handshake.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.model.gateway import ServerTLSSettings
from meshproof.model.mesh_config import MeshConfig
from meshproof.translate import tls as mesh_tls
from meshproof.translate.certificates import Certificates
from meshproof.translate.proto import ADS, Json, build_extension

CIPHER_SUITES = frozenset(
    (
        *("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"),
        *("ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384"),
        *("ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305"),
        *("ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-SHA"),
        *("ECDHE-ECDSA-AES256-SHA", "ECDHE-RSA-AES256-SHA"),
        *("AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-SHA", "AES256-SHA", "DES-CBC3-SHA"),
    )
)
"""What Istio passes on to Envoy; it ignores all others (pkg/config/security/security.go)."""
_VERSIONS = {
    "TLS_AUTO": "",
    "TLSV1_0": "TLSv1_0",
    "TLSV1_1": "TLSv1_1",
    "TLSV1_2": "TLSv1_2",
    "TLSV1_3": "TLSv1_3",
}
_MESH_FILES = ("/etc/certs/", "/var/run/secrets/istio/")
"""Where Istio mounted the workload's own certificate: its rules may still name these files."""


def build_tls_socket(
    settings: ServerTLSSettings, certificates: Certificates, mesh: MeshConfig, *, http: bool
) -> Json | None:
    """The transport socket of a server that terminates TLS, for HTTP or for bytes; None without
    its certificates."""
    common = _mesh_context() if settings.mode == "ISTIO_MUTUAL" else None
    if common is None:
        common = _own_context(settings, certificates, mesh)
    if common is None:
        return None
    if http or settings.mode != "ISTIO_MUTUAL":
        common["alpn_protocols"] = ["h2", "http/1.1"]
    else:
        common["alpn_protocols"] = [*mesh_tls.MESH_ALPN, "h2", "http/1.1"]
    return build_extension(
        "envoy.transport_sockets.tls",
        f"{mesh_tls.CONTEXTS}.DownstreamTlsContext",
        require_client_certificate=settings.mode in ("MUTUAL", "ISTIO_MUTUAL"),
        common_tls_context=common,
    )


def _mesh_context() -> Json:
    return {
        "tls_params": dict(mesh_tls.VERSIONS),
        "tls_certificate_sds_secret_configs": [
            {"name": mesh_tls.CERTIFICATE, "sds_config": ADS},
        ],
        "validation_context_sds_secret_config": {"name": mesh_tls.ROOT, "sds_config": ADS},
    }


def _own_context(
    settings: ServerTLSSettings, certificates: Certificates, mesh: MeshConfig
) -> Json | None:
    context: Json = {"tls_params": _params(settings, mesh)}
    if any(f.server_certificate.startswith(_MESH_FILES) for f in settings.files):
        context |= {
            k: v for k, v in _mesh_context().items() if k == "tls_certificate_sds_secret_configs"
        }
    else:
        pairs = list(_pairs(settings, certificates))
        if not pairs:
            return None
        context["tls_certificates"] = pairs
    if settings.mode == "SIMPLE":
        return context
    if (settings.ca_certificates or "").startswith(_MESH_FILES):
        root = {"name": mesh_tls.ROOT, "sds_config": ADS}
        return context | {"validation_context_sds_secret_config": root}
    validation = _validation(settings, certificates)
    if validation is None:  # what clients show counts for nothing then, as in Istio
        return context if settings.mode == "OPTIONAL_MUTUAL" else None
    return context | {"validation_context": validation}


def _params(settings: ServerTLSSettings, mesh: MeshConfig) -> Json:
    """The mesh's ``tlsDefaults`` are for SIMPLE and MUTUAL, and what the server says wins."""
    defaults = mesh.tls_defaults if settings.mode in ("SIMPLE", "MUTUAL") else None
    lowest, highest = settings.min_protocol_version, settings.max_protocol_version
    params: Json = dict(mesh_tls.default_params(mesh)) if defaults is not None else {}
    by_default = "TLSv1_3" if defaults and defaults.min_protocol_version == "TLSV1_3" else "TLSv1_2"
    params["tls_minimum_protocol_version"] = _VERSIONS[lowest] or by_default
    if _VERSIONS[highest]:
        params["tls_maximum_protocol_version"] = _VERSIONS[highest]
    if suites := [s for s in dict.fromkeys(settings.cipher_suites) if s in CIPHER_SUITES]:
        params["cipher_suites"] = suites
    return params


def _pairs(settings: ServerTLSSettings, certificates: Certificates) -> Iterator[Json]:
    for name in settings.credentials:
        secret = certificates.find(name)
        if secret is not None and secret.chain:
            yield {
                "certificate_chain": {"inline_string": secret.chain},
                "private_key": {"inline_string": secret.key},
            }
    for pair in settings.files:
        chain = certificates.file(pair.server_certificate)
        key = certificates.file(pair.private_key)
        if chain and key:
            yield {"certificate_chain": chain, "private_key": key}


def _validation(settings: ServerTLSSettings, certificates: Certificates) -> Json | None:
    """What a client's certificate must be; None without authorities."""
    if settings.ca_cert_credential_name:
        secret = certificates.find(settings.ca_cert_credential_name)
    else:
        secrets = (certificates.find_ca(name) for name in settings.credentials)
        secret = next((s for s in secrets if s), None)
    validation: Json = {}
    if secret is not None and secret.ca:
        validation["trusted_ca"] = {"inline_string": secret.ca}
        if secret.crl:
            validation["crl"] = {"inline_string": secret.crl}
    elif ca := settings.ca_certificates and certificates.file(settings.ca_certificates):
        validation["trusted_ca"] = ca
        if revoked := settings.ca_crl and certificates.file(settings.ca_crl):
            validation["crl"] = revoked
    else:
        return None
    if settings.subject_alt_names:
        validation["match_typed_subject_alt_names"] = [
            {"san_type": kind, "matcher": {"exact": name}}
            for name in settings.subject_alt_names
            for kind in ("DNS", "URI")
        ]
    if settings.verify_certificate_spki:
        validation["verify_certificate_spki"] = list(settings.verify_certificate_spki)
    if settings.verify_certificate_hash:
        validation["verify_certificate_hash"] = list(settings.verify_certificate_hash)
    return validation
