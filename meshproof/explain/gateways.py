"""Gateways: which filter chain takes a connection, from outside or from a sidecar."""

from __future__ import annotations

from meshproof.explain.clusters import UpstreamTls
from meshproof.explain.connection import Peer
from meshproof.explain.filter_chains import (
    DESCRIPTIONS,
    ConnectionResult,
    rank_server_name,
)
from meshproof.explain.filter_chains import choose_chain as choose_by_match
from meshproof.explain.proxies import Fleet, Proxy
from meshproof.explain.string_match import Json

_TCP_PROXY = ".network.tcp_proxy.v3.TcpProxy"


def name_of(gateway: Proxy) -> str:
    """``gateway`` is the ingress gateway; others have the name of their Envoy."""
    return gateway.name if "/" in gateway.workload else gateway.workload


def ports_of(gateway: Proxy) -> list[int]:
    """The ports at which it listens."""
    numbers = (name.removeprefix("http.") for name in gateway.listeners)
    return sorted(int(n) for n in numbers if n.isdecimal())


def describe_no_listener(gateway: Proxy, port: int, fleet: Fleet) -> str:
    """Why a gateway cannot be called at a port, and which gateways can."""
    text = f"the gateway does not listen at port {port}; "
    if ports := ports_of(gateway):
        return f"{text}it has {', '.join(map(str, ports))}"
    others = [name_of(p) for p in fleet.proxies if p.gateway and ports_of(p)]
    remedy = f"; there is {', '.join(sorted(others))}" if others else ""
    return f"{text}no Gateway selects it{remedy}"


def passes_bytes(chain: Json) -> bool:
    """Whether it routes connections, rather than requests."""
    return str(chain["filters"][-1]["typed_config"]["@type"]).endswith(_TCP_PROXY)


def choose_chain(listener: Json, sni: str) -> Json | None:
    """The chain for a client that sends an SNI, or speaks plain text (no SNI)."""
    ranked = [
        (
            rank_server_name(c.get("filter_chain_match", {}).get("server_names", ()), sni),
            i,
        )
        for i, c in enumerate(listener["filter_chains"])
        if not c.get("filter_chain_match", {}).get("application_protocols")
    ]
    best = max(ranked, key=lambda pair: (pair[0], -pair[1]), default=(-1, 0))
    chain: Json = listener["filter_chains"][best[1]]
    passes = passes_bytes(chain)
    terminates_tls = "transport_socket" in chain
    fits = terminates_tls == bool(sni) or (passes and not terminates_tls)
    return chain if best[0] >= 0 and fits else None


def connect(caller: Proxy, tls: UpstreamTls, server: Proxy, listener: Json) -> ConnectionResult:
    """What a gateway's listener does with a connection of a sidecar. The certificates of its
    servers are not looked at: a handshake between the TLS of two rules is taken to succeed."""
    port, is_tls = listener["address"]["socket_address"]["port_value"], tls.kind != "plain"
    peer = Peer("", tls.sni, caller.ip, server.ip, port, tls=is_tls)
    chain = choose_by_match(listener, tls)
    if closed := _explain_closed(chain, tls, server):
        return ConnectionResult(None, peer, closed=closed)
    assert chain is not None, "else it is closed"
    if _mesh_certificate(chain):
        known = Peer(caller.identity, tls.sni, caller.ip, server.ip, port, tls=True)
        return ConnectionResult(chain, known, f"by mutual TLS, as {caller.identity}")
    note = "by TLS that the gateway terminates" if "transport_socket" in chain else ""
    return ConnectionResult(chain, peer, note)


def _explain_closed(chain: Json | None, tls: UpstreamTls, server: Proxy) -> str:
    """Why there is no connection; empty if there is one."""
    speaks = DESCRIPTIONS.get(tls.kind, "mutual TLS")
    if chain is None:
        return f"none of its servers takes {speaks}" + (f" for {tls.sni}" if tls.sni else "")
    if "transport_socket" not in chain:
        refused = tls.kind != "plain" and not passes_bytes(chain)
        return f"it takes plain text, and the caller speaks {speaks}" if refused else ""
    if tls.kind == "plain":
        return "it takes TLS, and the caller speaks plain text"
    of_mesh = _mesh_certificate(chain)
    if (tls.kind == "mutual") != of_mesh:
        whose = "the mesh's certificate" if of_mesh else "a certificate of its own"
        return f"it has {whose}, and the caller speaks {speaks}"
    if of_mesh and tls.names and server.identity not in tls.names:
        names = " or ".join(tls.names)
        return f"its certificate is {server.identity}'s, and the caller's rule wants {names}"
    return ""


def _mesh_certificate(chain: Json) -> bool:
    context = chain.get("transport_socket", {}).get("typed_config", {})
    common = context.get("common_tls_context", {})
    return bool(common.get("tls_certificate_sds_secret_configs"))
