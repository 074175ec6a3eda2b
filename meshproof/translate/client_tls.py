"""How a cluster encrypts: a DestinationRule's ``tls``, else mutual TLS wherever it is taken.

Istio: core/cluster_tls.go. Without a ``tls`` block a mesh host gets ``transport_socket_matches``:
an endpoint that says ``tlsMode: istio`` (its PeerAuthentication is not DISABLE) is spoken to with
the mesh's certificate, every other in plain. So a change of that mode travels with the endpoints.
"""

from __future__ import annotations

from collections.abc import Iterable

from meshproof.model.destination_rule_tls import ClientTLSSettings
from meshproof.translate import tls
from meshproof.translate.proto import Json, extension
from meshproof.translate.registry import Host
from meshproof.translate.world import ServicePort

MATCH = "envoy.transport_socket_match"
ISTIO: Json = {"tlsMode": "istio"}
_RAW = "envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer"
_PLAIN: Json = {
    "name": "tlsMode-disabled",
    "match": {},
    "transport_socket": extension("envoy.transport_sockets.raw_buffer", _RAW),
}


def transport(host: Host, port: ServicePort, settings: ClientTLSSettings | None, sni: str) -> Json:
    """The fields of a cluster towards ``host``; ``sni`` is Istio's name of the cluster."""
    if settings is None:
        return _automatic(host, sni) if host.in_mesh else {}
    if settings.mode == "DISABLE":
        return {}
    if settings.mode == "ISTIO_MUTUAL":
        names = settings.subject_alt_names or _identities(host)
        return {"transport_socket": tls.upstream(names, settings.sni or sni)}
    return {"transport_socket": _originated(settings, port, host.subject_alt_names)}


def _automatic(host: Host, sni: str) -> Json:
    mutual = {
        "name": "tlsMode-istio",
        "match": ISTIO,
        "transport_socket": tls.upstream(_identities(host), sni),
    }
    return {"transport_socket_matches": [mutual, _PLAIN]}


def _identities(host: Host) -> tuple[str, ...]:
    return host.identities + host.subject_alt_names


def _originated(settings: ClientTLSSettings, port: ServicePort, names: Iterable[str]) -> Json:
    """SIMPLE or MUTUAL: TLS of the outside world, with certificates from files; ``names`` are the
    ServiceEntry's, for where the rule has none."""
    validation: Json = {}
    if not settings.insecure_skip_verify:
        validation["trusted_ca"] = {"filename": settings.ca_certificates or _public()}
        validation |= _names(settings.subject_alt_names or names)
    context: Json = {"tls_params": tls.VERSIONS, "validation_context": validation}
    if settings.mode == "MUTUAL":
        context["tls_certificates"] = [
            {
                "certificate_chain": {"filename": settings.client_certificate},
                "private_key": {"filename": settings.private_key},
            }
        ]
    if port.protocol == "HTTP":
        context["alpn_protocols"] = ["http/1.1"]
    more = {"sni": settings.sni} if settings.sni else {}
    return extension(
        "envoy.transport_sockets.tls",
        f"{tls.CONTEXTS}.UpstreamTlsContext",
        common_tls_context=context,
        **more,
    )


def _public() -> str:
    """The file of the public certificate authorities; it comes with requests."""
    import certifi  # noqa: PLC0415  # for few rules only

    return certifi.where()


def _names(names: Iterable[str]) -> Json:
    matchers = [
        {"san_type": "URI" if "://" in name else "DNS", "matcher": {"exact": name}}
        for name in names
    ]
    return {"match_typed_subject_alt_names": matchers} if matchers else {}


def automatic_sni(settings: ClientTLSSettings, port: ServicePort) -> bool:
    """Whether the SNI is the request's own authority (Istio's auto_sni): TLS is originated for
    HTTP and no ``sni`` is written."""
    return settings.mode in ("SIMPLE", "MUTUAL") and not settings.sni and port.protocol == "HTTP"


def automatic_name(settings: ClientTLSSettings) -> bool:
    """Whether that is the name to check too (Istio's auto_san_validation): the rule names none, and
    does not leave the server unchecked. The ServiceEntry's names do not count."""
    return not settings.subject_alt_names and not settings.insecure_skip_verify
