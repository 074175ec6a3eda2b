"""Client TLS of clusters: a DestinationRule's ``tls``, else auto mTLS.

Istio: core/cluster_tls.go. Without a ``tls`` block a mesh host gets ``transport_socket_matches``:
calls to an endpoint with ``tlsMode: istio`` (its PeerAuthentication is not DISABLE) use the mesh's
certificate, all others are plain text. So a change of mode travels with the endpoints.
"""

from __future__ import annotations

from collections.abc import Iterable

from meshproof.model.destination_rule_tls import ClientTLSSettings
from meshproof.model.mesh_config import MeshConfig
from meshproof.translate import tls
from meshproof.translate.certificates import Certificates
from meshproof.translate.host import Host
from meshproof.translate.proto import ADS, Json, build_extension
from meshproof.translate.proxy_protocol import PLAIN
from meshproof.translate.world import ServicePort

MATCH = "envoy.transport_socket_match"
ISTIO: Json = {"tlsMode": "istio"}
_PLAIN: Json = {
    "name": "tlsMode-disabled",
    "match": {},
    "transport_socket": PLAIN,
}


def build_transport(
    host: Host,
    port: ServicePort,
    settings: ClientTLSSettings | None,
    sni: str,
    certificates: Certificates,
    *,
    mesh: MeshConfig,
    h2: bool,
) -> Json:
    """The TLS fields of a cluster of ``host``; ``sni`` is Istio's SNI form of its name, and ``h2``
    whether the cluster speaks HTTP/2 alone."""
    if settings is None:
        return _auto_mtls(host, sni) if host.in_mesh else {}
    if settings.mode == "DISABLE":
        return {}
    if settings.mode == "ISTIO_MUTUAL":
        names = settings.subject_alt_names or _identities(host)
        return {"transport_socket": tls.build_upstream_context(names, settings.sni or sni, h2=h2)}
    names = settings.subject_alt_names or host.subject_alt_names
    params = {**tls.VERSIONS, **tls.default_params(mesh)}
    return {"transport_socket": _originate_tls(settings, port, names, certificates, params, h2=h2)}


def _auto_mtls(host: Host, sni: str) -> Json:
    mutual = {
        "name": "tlsMode-istio",
        "match": ISTIO,
        "transport_socket": tls.build_upstream_context(_identities(host), sni),
    }
    return {"transport_socket_matches": [mutual, _PLAIN]}


def _identities(host: Host) -> tuple[str, ...]:
    return host.identities + host.subject_alt_names


def _originate_tls(
    settings: ClientTLSSettings,
    port: ServicePort,
    names: Iterable[str],
    certificates: Certificates,
    params: Json,
    *,
    h2: bool,
) -> Json:
    """SIMPLE or MUTUAL: TLS origination, with certificates of files or of a Secret. ``names`` are
    those that the server's may carry. A cluster that speaks HTTP/2 alone offers ``h2`` alone
    (Istio: constructUpstreamTLS).

    Where a certificate does not exist, no handshake succeeds, as in Istio: then only the mesh's own
    authority is trusted, which signs for nobody outside.
    """
    own, authorities = _pair(settings, certificates), _authorities(settings, certificates)
    context: Json = {"tls_params": params}
    if authorities is None or (settings.mode == "MUTUAL" and own is None):
        context["validation_context_sds_secret_config"] = {"name": tls.ROOT, "sds_config": ADS}
    else:
        context["validation_context"] = {}
        if not settings.insecure_skip_verify:
            revoked = certificates.file(settings.ca_crl) if settings.ca_crl else None
            context["validation_context"] = {
                "trusted_ca": authorities,
                **({"crl": revoked} if revoked else {}),
                **_san_matchers(names),
            }
    if settings.mode == "MUTUAL" and own is not None:
        context["tls_certificates"] = [own]
    if port.protocol == "HTTP":
        context["alpn_protocols"] = ["h2"] if h2 else ["http/1.1"]
    sni_field = {"sni": settings.sni} if settings.sni else {}
    return build_extension(
        "envoy.transport_sockets.tls",
        f"{tls.CONTEXTS}.UpstreamTlsContext",
        common_tls_context=context,
        **sni_field,
    )


def _pair(settings: ClientTLSSettings, certificates: Certificates) -> Json | None:
    """The client's certificate and key; None without one."""
    if settings.credential_name:
        secret = certificates.find(settings.credential_name)
        if secret is None or not secret.chain:
            return None
        chain: Json | None = {"inline_string": secret.chain}
        key: Json | None = {"inline_string": secret.key}
    elif settings.client_certificate and settings.private_key:
        chain = certificates.file(settings.client_certificate)
        key = certificates.file(settings.private_key)
    else:
        return None
    return {"certificate_chain": chain, "private_key": key} if chain and key else None


def _authorities(settings: ClientTLSSettings, certificates: Certificates) -> Json | None:
    """Those that may have signed the server's certificate; None where they do not exist."""
    if settings.credential_name:
        secret = certificates.find_ca(settings.credential_name)
        return {"inline_string": secret.ca} if secret else None
    if settings.ca_certificates:
        return certificates.file(settings.ca_certificates)
    return {"filename": _public_ca_file()}


def _public_ca_file() -> str:
    """The file of the public certificate authorities (certifi)."""
    import certifi  # noqa: PLC0415  # few rules need it

    return certifi.where()


def _san_matchers(names: Iterable[str]) -> Json:
    matchers = [
        {"san_type": "URI" if "://" in name else "DNS", "matcher": {"exact": name}}
        for name in names
    ]
    return {"match_typed_subject_alt_names": matchers} if matchers else {}


def uses_auto_sni(settings: ClientTLSSettings, port: ServicePort) -> bool:
    """Whether the SNI is the request's authority (Istio's auto_sni): TLS is originated for HTTP
    and the rule writes no ``sni``."""
    return settings.mode in ("SIMPLE", "MUTUAL") and not settings.sni and port.protocol == "HTTP"


def validates_auto_san(settings: ClientTLSSettings) -> bool:
    """Whether the server's certificate must carry the authority too (Istio's auto_san_validation):
    the rule writes no names, and does not skip verification. The ServiceEntry's names do not
    count."""
    return not settings.subject_alt_names and not settings.insecure_skip_verify
