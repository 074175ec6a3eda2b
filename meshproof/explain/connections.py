"""How a server's listener takes a connection: which filter chain, and with what peer."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.explain.clusters import UpstreamTls
from meshproof.explain.connection import Peer
from meshproof.explain.hosts import without_port
from meshproof.explain.proxies import Proxy
from meshproof.explain.string_match import Json

_STRICT = "it takes mutual TLS alone (PeerAuthentication STRICT), and the caller speaks {}"
_WORDS = {"plain": "plain text", "tls": "TLS of its own (a DestinationRule's tls)"}


@dataclass(frozen=True, slots=True)
class Taken:
    """A filter chain and the peer that it sees, or why the connection is closed."""

    chain: Json | None
    peer: Peer
    note: str = ""
    closed: str = ""


def connected(caller: Proxy, speech: UpstreamTls, server: Proxy, listener: Json) -> Taken:
    port = listener["address"]["socket_address"]["port_value"]
    tls = speech.kind != "plain"
    bare = Peer(local_ip=server.ip, port=port, tls=tls, sni=speech.sni)
    chain = _chain(listener, speech)
    if chain is None:
        how = (
            _STRICT
            if not tls
            else "it takes no TLS that is not the mesh's, and the caller speaks {}"
        )
        return Taken(None, bare, closed=how.format(_WORDS.get(speech.kind, "mutual TLS")))
    context = chain.get("transport_socket", {}).get("typed_config", {})
    if not context:
        how = "plain text" if not tls else "TLS that is the app's own"
        return Taken(chain, bare, f"by {how}: the caller has no identity here")
    if speech.kind != "mutual":
        return Taken(None, bare, closed=_STRICT.format(_WORDS[speech.kind]))
    if speech.names and server.identity not in speech.names:
        wanted = " or ".join(speech.names)
        why = f"its certificate is {server.identity}'s, and the caller's rule wants {wanted}"
        return Taken(None, bare, closed=why)
    peer = Peer(caller.identity, speech.sni, local_ip=server.ip, port=port, tls=True)
    return Taken(chain, peer, f"by mutual TLS, as {caller.identity}")


def _chain(listener: Json, speech: UpstreamTls) -> Json | None:
    """The narrowest that fits: server name, then transport, then application protocol."""
    transport = "raw_buffer" if speech.kind == "plain" else "tls"
    best: tuple[int, int, int] = (-1, 0, 0)
    found: Json | None = None
    for chain in listener.get("filter_chains", ()):
        match = chain.get("filter_chain_match", {})
        rank = (
            server_name(match.get("server_names", ()), speech.sni),
            _either(match.get("transport_protocol", ""), (transport,)),
            max(
                (_either(p, speech.protocols) for p in match.get("application_protocols", ())),
                default=0,
            ),
        )
        if min(rank) >= 0 and rank > best:
            best, found = rank, chain
    return found


def _either(wanted: str, given: tuple[str, ...]) -> int:
    """-1 does not fit, 0 nothing is wanted, 1 fits."""
    return 0 if not wanted else 1 if wanted in given else -1


def server_name(names: tuple[str, ...] | list[str], sni: str) -> int:
    """The length of the best name for an SNI; 0 where any will do, -1 where none fits."""
    if not names:
        return 0
    lengths = [
        len(name)
        for name in names
        if name == sni or (name.startswith("*.") and sni.endswith(name[1:]))
    ]
    return max(lengths, default=-1)


def sni_of(authority: str) -> str:
    """What a browser says as the server's name."""
    return without_port(authority)
