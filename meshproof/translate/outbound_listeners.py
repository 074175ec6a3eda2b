"""A pod's outbound listeners, which take every connection that its containers open.

Istio: buildSidecarOutboundListeners of core/listener.go. ``virtualOutbound`` takes a connection and
hands it to the listener of its original destination: ``ADDRESS_PORT`` for a TCP port of a Service,
``0.0.0.0_PORT`` for HTTP, and for hosts without an address of their own. What no listener takes
goes where outboundTrafficPolicy says.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from meshproof.istio_names import BLACK_HOLE_CLUSTER
from meshproof.model.pod_network import OUTBOUND_PORT
from meshproof.translate import passthrough
from meshproof.translate.host import Host
from meshproof.translate.listeners import build_listener, http_inspector, tls_inspector
from meshproof.translate.outbound_chains import Chain, ChainBuilder
from meshproof.translate.port_routes import has_own_table
from meshproof.translate.proto import Json, socket_address
from meshproof.translate.proxy_view import ProxyView
from meshproof.translate.resource_names import port_routes, sniffed_routes
from meshproof.translate.world import Resource, ServicePort

VIRTUAL_OUTBOUND = "virtualOutbound"
_BLACK_HOLE_CHAIN = "virtualOutbound-blackhole"
_CATCH_ALL_CHAIN = "virtualOutbound-catchall-tcp"
_PASSTHROUGH_CHAIN = "PassthroughFilterChain"
ANY = "0.0.0.0"  # noqa: S104 - the listener of an original destination; it is not bound
_OpenHost = tuple[str, int, Json]
"""ALLOW_ANY: an address, a port, and where a connection to it goes (``passthrough.targets``)."""


@dataclass
class _Entry:
    """One listener in the making. ``auto`` says that it tells HTTP from other bytes."""

    bind: tuple[str, ...]
    port: int
    auto: bool
    chains: list[Chain]

    def merge(self, chains: Iterable[Chain]) -> None:
        """Add chains; of two with the same match the first wins (mergeTCPFilterChains)."""
        matches = [chain.match for chain in self.chains]
        self.chains += [chain for chain in chains if chain.match not in matches]


def build_outbound_listeners(
    view: ProxyView, chains: ChainBuilder, pod_ip: str
) -> dict[str, Resource]:
    """Every listener of the pod by name; ``virtualOutbound`` is the only one that is bound."""
    entries: dict[tuple[str, int], _Entry] = {}
    for host in view.hosts.values():
        for port in host.ports if not host.alias_of else ():
            _add(entries, chains, host, port, pod_ip)
    open_hosts = list(passthrough.targets(view.passthrough_hosts(), view.world.addresses))
    listeners = (_build(chains, entry, open_hosts) for entry in entries.values())
    virtual = _build_virtual(chains, open_hosts)
    return {str(listener["name"]): listener for listener in (*listeners, virtual)}


def _add(
    entries: dict[tuple[str, int], _Entry],
    chains: ChainBuilder,
    host: Host,
    port: ServicePort,
    pod_ip: str,
) -> None:
    """Add a port of a host. Where two share an address and a port, the first keeps what both
    match; HTTP beside other bytes is recognised (buildSidecarOutboundListener)."""
    kind = port.kind
    for bind, ranges in _binds(host, port, pod_ip):
        entry = entries.get((bind[0], port.port))
        if entry is not None and entry.auto and kind != "BYTES":
            continue  # requests of every host on the port share one chain
        rows: list[Chain] = []
        if kind != "HTTP":
            rows += _bytes(chains, host, port, bind[0], ranges)
        if kind != "BYTES":
            rows.append(chains.http(_table(host, port), port.port))
        if entry is None:
            entry = entries[bind[0], port.port] = _Entry(bind, port.port, kind != "BYTES", [])
        entry.merge(rows)
        entry.auto = entry.auto or kind != "BYTES"


def _bytes(
    chains: ChainBuilder, host: Host, port: ServicePort, address: str, ranges: tuple[str, ...]
) -> Iterator[Chain]:
    """The chains for other bytes of a listener at ``address``, or for ``ranges``. Where connections
    go to the very address that they are for (a headless Service, resolution NONE), that endpoint
    alone gets them: of a range, each has a chain."""
    originals = [e.original for e in host.endpoints.get(port.port, ()) if e.original]
    if ranges and originals:
        networks = [ipaddress.ip_network(text, strict=False) for text in ranges]
        for original in originals:
            if any(ipaddress.ip_address(original) in network for network in networks):
                yield from chains.bytes(host, port, (original,), pod=original)
    else:
        pod = address if host.headless or address in originals else ""
        yield from chains.bytes(host, port, ranges, pod=pod)


def _table(host: Host, port: ServicePort) -> str:
    if has_own_table(host, port):
        return sniffed_routes(host.name, port.port)
    return port_routes(port.port)


def _binds(
    host: Host, port: ServicePort, pod_ip: str
) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """The addresses of each listener of a port, and the ranges that its chains match.

    A headless Service has a listener for each of its pods but the caller's own, unless it is HTTP.
    """
    if port.kind == "HTTP":
        yield (ANY,), ()
        return
    if host.headless:
        for endpoint in host.endpoints.get(port.port, ()):
            if endpoint.address.ip not in ("", pod_ip):
                yield (endpoint.address.ip,), ()
        return
    single = tuple(a for a in host.addresses if "/" not in a)
    ranges = tuple(a for a in host.addresses if "/" in a)
    if single:
        yield single, ()
    if ranges or not single:
        yield (ANY,), ranges


def _build(chains: ChainBuilder, entry: _Entry, open_hosts: Iterable[_OpenHost]) -> Resource:
    name = f"{entry.bind[0]}_{entry.port}"
    plugins = tuple(chains.plugins.network_filters(entry.port))
    rows = [replace(chain, filters=(*plugins, *chain.filters)) for chain in entry.chains]
    if entry.bind == (ANY,):
        rows += _open_chains(chains, entry, open_hosts)
    matching = [_build_chain(chain) for chain in rows if chain.match]
    catch_all = next((_build_chain(chain) for chain in rows if not chain.match), None)
    fields: Json = {"bind_to_port": False, "continue_on_listener_filters_timeout": True}
    fields["listener_filters"] = list(_inspectors(rows))
    fields["listener_filters_timeout"] = "0s"
    if len(entry.bind) > 1:
        fields["additional_addresses"] = [
            {"address": socket_address(address, entry.port)} for address in entry.bind[1:]
        ]
    if matching:
        other = {"name": _PASSTHROUGH_CHAIN, "filters": [chains.without_rule()]}
        fields["default_filter_chain"] = catch_all or other
    elif catch_all:
        matching = [catch_all]
    return build_listener(name, entry.bind[0], entry.port, matching, "OUTBOUND", **fields)


def _build_chain(chain: Chain) -> Json:
    built: Json = {"filters": list(chain.filters)}
    if chain.metadata:
        built["metadata"] = chain.metadata
    return {"filter_chain_match": chain.match, **built} if chain.match else built


def _inspectors(chains: Iterable[Chain]) -> Iterator[Json]:
    """Only those that a chain needs: an inspector waits for the client's first bytes, which a
    server that speaks first never sees."""
    rows = list(chains)
    if any(chain.sni for chain in rows):
        yield tls_inspector()
    if any(chain.http for chain in rows):
        yield http_inspector()


def _open_chains(
    chains: ChainBuilder, entry: _Entry, open_hosts: Iterable[_OpenHost]
) -> list[Chain]:
    """ALLOW_ANY: what the listener's own chains do not take goes to the declared host whose
    address the connection has. Envoy looks at the address first, so the listener's own chains
    come once more for these addresses."""
    targets = [row for row in open_hosts if row[1] == entry.port]
    if not targets:
        return []
    ranges = [address for address, _port, _target in targets]
    again = [chain.at(ranges) for chain in entry.chains if chain.match and not chain.ranges]
    return [*again, *_passthrough_chains(chains, targets)]


def _passthrough_chains(chains: ChainBuilder, targets: Iterable[_OpenHost]) -> Iterator[Chain]:
    for address, _port, target in targets:
        yield Chain((chains.tcp_proxy(passthrough.CLUSTER, **target),), ranges=(address,))


def _build_virtual(chains: ChainBuilder, open_hosts: Iterable[_OpenHost]) -> Resource:
    """The listener that every connection reaches first. A connection to its own port is closed."""
    rows: list[Json] = [
        {
            "name": _BLACK_HOLE_CHAIN,
            "filter_chain_match": {"destination_port": OUTBOUND_PORT},
            "filters": [chains.black_hole()],
        }
    ]
    for target in open_hosts:
        (chain,) = _passthrough_chains(chains, [target])
        rows.append(_build_chain(chain))
        rows[-1]["filter_chain_match"]["destination_port"] = target[1]
    rows.append({"name": _CATCH_ALL_CHAIN, "filters": [chains.without_rule()]})
    return build_listener(
        VIRTUAL_OUTBOUND, "127.0.0.1", OUTBOUND_PORT, rows, "OUTBOUND", use_original_dst=True
    )


def build_black_hole_cluster() -> Resource:
    """A cluster without endpoints: whoever is sent there is closed."""
    assignment: Json = {"cluster_name": BLACK_HOLE_CLUSTER}
    return {
        "name": BLACK_HOLE_CLUSTER,
        "type": "STATIC",
        "connect_timeout": "10s",
        "load_assignment": assignment,
    }
