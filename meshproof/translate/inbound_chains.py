"""Filter chains of an inbound listener in each mode of PeerAuthentication.

Istio: core/filterchain_options.go.

PERMISSIVE: TLS with Istio's ALPN requires a mesh certificate; plain text is accepted; any other
TLS is the app's own on a TCP port, and is closed on an HTTP port. STRICT: all TLS requires a mesh
certificate, plain text is closed. DISABLE: nothing requires one.
"""

from __future__ import annotations

from meshproof.model.mesh_config import MeshConfig
from meshproof.translate import tls
from meshproof.translate.peer_authentication import Mode
from meshproof.translate.proto import Json

SNIFFED_HTTP = ("http/1.1", "h2c")
"""What the HTTP inspector calls plain-text HTTP (plaintextHTTPALPNs). Not HTTP/1.0, which would
only be refused: as bytes it reaches the app."""


def build_chains(
    mode: Mode, mtls_filters: list[Json], plain_filters: list[Json], mesh: MeshConfig
) -> list[Json]:
    """The filter chains of a mode. Their names never change, so that a change of mode replaces
    no more than it must."""
    match: Json = {"transport_protocol": "tls"}
    if mode == "PERMISSIVE":
        match["application_protocols"] = list(tls.MESH_ALPN)
    mtls_chain: Json = {
        "name": "tls",
        "filter_chain_match": match,
        "transport_socket": tls.build_downstream_context(mesh),
        "filters": mtls_filters,
    }
    plain_chain: Json = {
        "name": "plain",
        "filter_chain_match": {"transport_protocol": "raw_buffer"},
        "filters": plain_filters,
    }
    return {
        "PERMISSIVE": [mtls_chain, plain_chain],
        "STRICT": [mtls_chain],
        "DISABLE": [plain_chain],
    }[mode]


def build_sniffed_chains(
    mode: Mode,
    mtls: tuple[list[Json], list[Json]],
    plain: tuple[list[Json], list[Json]],
    mesh: MeshConfig,
) -> list[Json]:
    """Of each pair the first takes HTTP. Under STRICT whatever is not called HTTP is bytes."""
    raw = {"transport_protocol": "raw_buffer"}
    rows: list[Json] = []
    if mode != "DISABLE":
        for name, alpn, filters in (
            ("tls-http", tls.HTTP_ALPN, mtls[0]),
            ("tls", tls.TCP_ALPN if mode == "PERMISSIVE" else (), mtls[1]),
        ):
            match: Json = {"transport_protocol": "tls"}
            if alpn:
                match["application_protocols"] = list(alpn)
            socket = tls.build_downstream_context(mesh)
            chain = {"name": name, "filter_chain_match": match, "filters": filters}
            rows.append({**chain, "transport_socket": socket})
    if mode != "STRICT":
        sniffed = {**raw, "application_protocols": list(SNIFFED_HTTP)}
        rows.append({"name": "plain-http", "filter_chain_match": sniffed, "filters": plain[0]})
        rows.append({"name": "plain", "filter_chain_match": raw, "filters": plain[1]})
    return rows + (build_app_tls_chain(mode, plain[1]) if mode == "PERMISSIVE" else [])


def build_app_tls_chain(mode: Mode, filters: list[Json]) -> list[Json]:
    """On a TCP port, TLS of the app's own passes unchanged, except under STRICT."""
    match: Json = {"transport_protocol": "tls"}
    chain: Json = {"name": "own-tls", "filter_chain_match": match, "filters": filters}
    return [] if mode == "STRICT" else [chain]
