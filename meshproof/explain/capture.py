"""Captured connections: which listener and filter chain of a pod's sidecar takes one.

As Envoy chooses: a listener of the exact address, then ``0.0.0.0`` with the port, then the one that
was bound; of its chains the most specific by port, address, SNI, transport and protocol.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from meshproof.explain.filter_chains import rank_server_name
from meshproof.explain.proxies import Address, Proxy
from meshproof.explain.string_match import Json
from meshproof.model.pod_network import BYPASS_LISTENER

VIRTUAL_OUTBOUND = "virtualOutbound"
_PLAIN_HTTP = ("http/1.1",)
_OWN_LOOPBACK = ipaddress.IPv4Network("127.0.0.0/16")


def captures(proxy: Proxy) -> bool:
    """Whether its app's connections are taken without its knowledge: it is in a pod."""
    return VIRTUAL_OUTBOUND in proxy.listeners


def is_own(proxy: Proxy, ip: str) -> bool:
    """Whether an address is the pod's own, to which connections are not captured."""
    return ip == proxy.ip or ipaddress.IPv4Address(ip) in _OWN_LOOPBACK


@dataclass(frozen=True, slots=True)
class Captured:
    """The listener by name, and its chain."""

    listener: str
    chain: Json
    address: Address
    """Its original destination."""

    @property
    def protocols(self) -> tuple[str, ...]:
        """ALPN by which the chain tells the server's sidecar that bytes follow; usually none."""
        for entry in self.chain["filters"]:
            for state in entry["typed_config"].get("on_new_connection", ()):
                if state["object_key"] == "envoy.network.application_protocols":
                    text = state["format_string"]["text_format_source"]["inline_string"]
                    return tuple(text.split(","))
        return ()


def capture(proxy: Proxy, to: Address, *, sni: str = "") -> Captured:
    """Who takes a connection to ``to``: one of plain HTTP, or of TLS with this SNI."""
    name = _listener_of(proxy, to)
    listener = proxy.listeners[name]
    best: tuple[int, ...] = ()
    chosen: Json = listener.get("default_filter_chain") or listener["filter_chains"][-1]
    for chain in listener["filter_chains"]:
        rank = _rank(chain.get("filter_chain_match", {}), to, sni)
        if min(rank) >= 0 and rank > best:
            best, chosen = rank, chain
    return Captured(name, chosen, to)


def _listener_of(proxy: Proxy, to: Address) -> str:
    if not proxy.capture.takes_outbound(*to):
        return BYPASS_LISTENER
    for name, listener in proxy.listeners.items():
        if listener.get("bind_to_port") is False and to in _addresses(listener):
            return name
    name = f"0.0.0.0_{to[1]}"
    return name if name in proxy.listeners else VIRTUAL_OUTBOUND


def _addresses(listener: Json) -> list[Address]:
    rows = [listener["address"], *(a["address"] for a in listener.get("additional_addresses", ()))]
    sockets = [row["socket_address"] for row in rows if "socket_address" in row]
    return [(s["address"], s["port_value"]) for s in sockets]


def _rank(match: Json, to: Address, sni: str) -> tuple[int, ...]:
    """Larger is more specific; a negative part is a mismatch."""
    port, transport = match.get("destination_port"), match.get("transport_protocol")
    protocols = match.get("application_protocols", ())
    offered = () if sni else _PLAIN_HTTP
    return (
        0 if port is None else 1 if port == to[1] else -1,
        _rank_ranges(match.get("prefix_ranges", ()), to[0]),
        rank_server_name(match.get("server_names", ()), sni),
        0 if not transport else 1 if transport == ("tls" if sni else "raw_buffer") else -1,
        0 if not protocols else 1 if any(p in offered for p in protocols) else -1,
    )


def _rank_ranges(ranges: Sequence[Json], ip: str) -> int:
    """The length of the longest prefix that has the address; 0 without ranges, -1 for none."""
    if not ranges:
        return 0
    address = ipaddress.IPv4Address(ip)
    lengths = [r.get("prefix_len", 0) for r in ranges if address in _network(r)]
    return max(lengths, default=-1)


def _network(prefix: Json) -> ipaddress.IPv4Network:
    text = f"{prefix['address_prefix']}/{prefix.get('prefix_len', 0)}"
    return ipaddress.IPv4Network(text, strict=False)
