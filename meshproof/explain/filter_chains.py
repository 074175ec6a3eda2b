"""Filter chains: which one of a server's listener accepts a connection, and what peer it sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from meshproof.explain.clusters import UpstreamTls
from meshproof.explain.connection import Peer
from meshproof.explain.proxies import Proxy
from meshproof.explain.string_match import Json
from meshproof.explain.virtual_hosts import without_port
from meshproof.istio_names import VIRTUAL_INBOUND

_HCM = "HttpConnectionManager"
_PAST_THE_SIDECAR = (
    "the caller speaks the mesh's TLS, and nothing terminates it before the app, which does not "
    "understand it"
)
_STRICT = "it takes mutual TLS alone (PeerAuthentication STRICT), and the caller speaks {}"
_NO_FOREIGN_TLS = "it takes no TLS that is not the mesh's, and the caller speaks {}"
DESCRIPTIONS = {
    "plain": "plain text",
    "proxied": "the PROXY protocol (a DestinationRule's proxyProtocol)",
    "tls": "TLS of its own (a DestinationRule's tls)",
}


@dataclass(frozen=True, slots=True)
class ConnectionResult:
    """The filter chain with the peer that it sees; or None, and why the connection is closed."""

    chain: Json | None
    peer: Peer
    note: str = ""
    closed: str = ""


def connect(
    caller: Proxy, tls: UpstreamTls, server: Proxy, listener: Json, port: int
) -> ConnectionResult:
    """What ``listener`` of ``server`` does with a connection of ``caller`` to ``port`` that speaks
    ``tls``."""
    is_tls = tls.is_tls
    source_ip = _source_ip(caller, listener)
    anonymous = Peer("", tls.sni, source_ip, server.ip, port, tls=is_tls)
    chain = choose_chain(listener, tls, port)
    if chain is None or (is_tls and _expects_plain_requests(chain)):
        reason = _NO_FOREIGN_TLS if is_tls else _STRICT
        speaks = DESCRIPTIONS.get(tls.kind, "mutual TLS")
        return ConnectionResult(None, anonymous, closed=reason.format(speaks))
    unknown = _describe_unknown_port(chain, port)
    if not chain.get("transport_socket", {}).get("typed_config", {}):
        if tls.kind == "mutual":
            return ConnectionResult(None, anonymous, closed=_PAST_THE_SIDECAR)
        speaks = "TLS that is the app's own" if is_tls else "plain text"
        note = f"by {speaks}: the caller has no identity here{unknown}"
        return ConnectionResult(chain, anonymous, note)
    if tls.kind != "mutual":
        return ConnectionResult(None, anonymous, closed=_STRICT.format(DESCRIPTIONS[tls.kind]))
    if tls.names and server.identity not in tls.names:
        names = " or ".join(tls.names)
        reason = f"its certificate is {server.identity}'s, and the caller's rule wants {names}"
        return ConnectionResult(None, anonymous, closed=reason)
    peer = Peer(caller.identity, tls.sni, source_ip, server.ip, port, tls=True)
    return ConnectionResult(chain, peer, f"by mutual TLS, as {caller.identity}{unknown}")


def _describe_unknown_port(chain: Json, port: int) -> str:
    if not chain.get("name", "").startswith(VIRTUAL_INBOUND):
        return ""
    return f"; nothing declares port {port}, so whether the app listens there is not known"


def _source_ip(caller: Proxy, listener: Json) -> str:
    """Empty for a gateway that enters a pod: it comes by the listener's Unix socket."""
    others = (entry["address"] for entry in listener.get("additional_addresses", ()))
    return "" if caller.gateway and any("pipe" in address for address in others) else caller.ip


def _expects_plain_requests(chain: Json) -> bool:
    """Whether TLS would be taken for a request in plain text."""
    kinds = [entry["typed_config"]["@type"] for entry in chain["filters"]]
    return "transport_socket" not in chain and any(k.endswith(_HCM) for k in kinds)


def choose_chain(listener: Json, tls: UpstreamTls, port: int = 0) -> Json | None:
    """The most specific match: by port, server name, then transport, then application protocol."""
    chains = _of_port(listener.get("filter_chains", ()), port)
    inspected = any("tls_inspector" in f["name"] for f in listener.get("listener_filters", ()))
    if chains is not listener.get("filter_chains"):  # inspected only if one of the port asks for it
        inspected = any(_match(chain).get("transport_protocol") == "tls" for chain in chains)
    transport = "tls" if tls.is_tls and inspected else "raw_buffer"
    best: tuple[int, int, int] = (-1, 0, 0)
    chosen: Json | None = None
    for chain in chains:
        match = _match(chain)
        rank = (
            rank_server_name(match.get("server_names", ()), tls.sni),
            _rank(match.get("transport_protocol", ""), (transport,)),
            max(
                (_rank(p, tls.protocols) for p in match.get("application_protocols", ())),
                default=0,
            ),
        )
        if min(rank) >= 0 and rank > best:
            best, chosen = rank, chain
    return chosen


def _match(chain: Json) -> Json:
    match: Json = chain.get("filter_chain_match", {})
    return match


def _of_port(chains: Sequence[Json], port: int) -> Sequence[Json]:
    """Where some chains are for one port alone: those for ``port``, or else those for any."""
    if not any("destination_port" in _match(chain) for chain in chains):
        return chains
    own = [chain for chain in chains if _match(chain).get("destination_port") == port]
    return own or [chain for chain in chains if "destination_port" not in _match(chain)]


def _rank(expected: str, offered: tuple[str, ...]) -> int:
    """1 for a match, 0 if nothing is expected, -1 for a mismatch."""
    return 0 if not expected else 1 if expected in offered else -1


def rank_server_name(names: tuple[str, ...] | list[str], sni: str) -> int:
    """The length of the longest name that matches an SNI; 0 without names, -1 without a match."""
    if not names:
        return 0
    lengths = [
        len(name)
        for name in names
        if name == sni or (name.startswith("*.") and sni.endswith(name[1:]))
    ]
    return max(lengths, default=-1)


def sni_of(authority: str) -> str:
    """The SNI that a browser sends."""
    return without_port(authority)
