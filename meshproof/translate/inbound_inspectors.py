"""Listener filters of inbound listeners, which tell what a client speaks: TLS, HTTP, or bytes.

Until the client speaks, an inspector keeps a server that speaks first waiting, and what nobody
inspects is plain text. So they are only where a chain asks for them (Istio: populateListenerFilters
of core/listener_inbound.go).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from meshproof.translate.listeners import http_inspector, tls_inspector
from meshproof.translate.proto import Json, build_extension

ORIGINAL_DESTINATION: Json = build_extension(
    "envoy.filters.listener.original_dst",
    "envoy.extensions.filters.listener.original_dst.v3.OriginalDst",
)
"""Gives a connection that the kernel has redirected the address that it was for."""


def needs_tls_inspector(chain: Json) -> bool:
    return bool(chain.get("filter_chain_match", {}).get("transport_protocol") == "tls")


def needs_http_inspector(chain: Json) -> bool:
    return "http/1.1" in chain.get("filter_chain_match", {}).get("application_protocols", ())


def build_inspection(inspectors: list[Json]) -> Json:
    """The fields of a listener."""
    return {
        "listener_filters": inspectors,
        "listener_filters_timeout": "0s",
        "continue_on_listener_filters_timeout": True,
    }


def inspectors_by_port(chains: Iterable[Json]) -> Iterator[Json]:
    """Of a listener whose chains match destination ports: what inspects every port but those whose
    own chains ask for nothing, or, where only some ports ask, these alone."""
    rows = list(chains)
    for needs, build in (
        (needs_tls_inspector, tls_inspector),
        (needs_http_inspector, http_inspector),
    ):
        if any(map(needs, rows)):
            yield {**build(), **_disabled(rows, needs)}


def _disabled(chains: Iterable[Json], needs: Callable[[Json], bool]) -> Json:
    asks: dict[int, bool] = {0: False}
    for chain in chains:
        port = chain.get("filter_chain_match", {}).get("destination_port", 0)
        asks[port] = asks.get(port, False) or needs(chain)
    exceptions = [_at(port) for port, ask in sorted(asks.items()) if ask != asks[0]]
    if not exceptions:
        return {}
    some = exceptions[0] if len(exceptions) == 1 else {"or_match": {"rules": exceptions}}
    return {"filter_disabled": some if asks[0] else {"not_match": some}}


def _at(port: int) -> dict[str, Any]:
    return {"destination_port_range": {"start": port, "end": port + 1}}
