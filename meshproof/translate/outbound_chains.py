"""Filter chains of a pod's outbound listeners: what becomes of a connection.

Istio: core/tls.go (TLS by SNI, TCP), core/networkfilter.go, and filterChainOpts of
core/listener.go. A chain matches by SNI, by destination address, or by the plain-text HTTP that
the inspector has recognised.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from meshproof.istio_names import BLACK_HOLE_CLUSTER, outbound_cluster
from meshproof.model.virtual_service import VirtualService
from meshproof.model.virtual_service_l4 import RouteDestination, TCPRoute, TLSRoute
from meshproof.translate import headless, passthrough, tls
from meshproof.translate.access_logs import build_access_log
from meshproof.translate.connection_policy import connection_policy, route_policy
from meshproof.translate.host import Host
from meshproof.translate.inbound_chains import SNIFFED_HTTP
from meshproof.translate.listeners import build_outbound_manager
from meshproof.translate.metrics import connection_metrics
from meshproof.translate.proto import Json, build_extension
from meshproof.translate.proxy_view import ProxyView
from meshproof.translate.route_metadata import build_l4_metadata
from meshproof.translate.telemetry import Reporting
from meshproof.translate.tunnels import build_target, is_for_host, l4_rules, match_applies
from meshproof.translate.wasm_plugins import NO_PLUGINS, Plugins
from meshproof.translate.workload_metadata import WorkloadMetadata
from meshproof.translate.world import Named, ServicePort

Route = TypeVar("Route", TLSRoute, TCPRoute)
_STATE = "envoy.extensions.filters.network.set_filter_state.v3.Config"
_TCP_PROXY = "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"


@dataclass(frozen=True)
class Chain:
    """One filter chain and what it matches; without a match it takes every connection."""

    filters: tuple[Json, ...]
    sni: tuple[str, ...] = ()
    ranges: tuple[str, ...] = ()
    """Destination addresses, as ``10.0.0.0/8``."""
    http: bool = False
    metadata: Json = field(default_factory=dict)
    """The rule that it comes from."""

    @property
    def match(self) -> Json:
        """Its FilterChainMatch; empty if it takes everything."""
        match: Json = {}
        if self.ranges:
            rows = sorted(dict.fromkeys(self.ranges))
            match["prefix_ranges"] = [_prefix_range(text) for text in rows]
        if self.sni and "*" not in self.sni:
            match["server_names"] = sorted(self.sni)
        if self.http:
            match |= {
                "transport_protocol": "raw_buffer",
                "application_protocols": list(SNIFFED_HTTP),
            }
        return match

    def at(self, ranges: Iterable[str]) -> Chain:
        """The same for these destination addresses alone."""
        return replace(self, ranges=tuple(ranges))


def _prefix_range(text: str) -> Json:
    """IPv6 goes nowhere in a pod, so that such a range matches nothing."""
    address, _, length = text.partition("/")
    longest = 128 if ":" in address else 32
    return {"address_prefix": address, "prefix_len": int(length or longest)}


class ChainBuilder:
    """Builds the chains of one sidecar, with its logs and metrics."""

    def __init__(
        self,
        view: ProxyView,
        workload: WorkloadMetadata,
        log: str,
        report: Reporting,
        plugins: Plugins = NO_PLUGINS,
    ) -> None:
        self._view, self._workload, self._log, self._report = view, workload, log, report
        self.plugins = plugins
        self._rules = l4_rules(view)

    def http(self, routes: str, port: int) -> Chain:
        """Plain-text HTTP to a port, by the route table of that name."""
        manager = build_outbound_manager(
            routes,
            self._workload,
            self._log,
            self._report,
            self._view.mesh,
            first_filters=self.plugins.http_filters(port),
            upgrade_configs=[{"upgrade_type": "websocket"}],
        )
        return Chain((manager,), http=True)

    def bytes(
        self, host: Host, port: ServicePort, ranges: tuple[str, ...] = (), pod: str = ""
    ) -> list[Chain]:
        """The chains of a TCP or TLS port of a host, by its VirtualServices; of a headless Service,
        to the one ``pod`` that the connection is for."""
        chosen = headless.select_pod(pod)
        if port.protocol in ("TLS", "HTTPS"):
            return list(self._tls(host, port, chosen, ranges))
        announced = (_announce_bytes(),) if _is_sniffed(host, port) else ()
        return [
            replace(chain, filters=(*announced, *chain.filters))
            for chain in self._tcp(host, port, chosen, ranges)
        ]

    def _tls(
        self, host: Host, port: ServicePort, chosen: Json, ranges: tuple[str, ...]
    ) -> Iterator[Chain]:
        """One for each match of its rules' tls routes. Without any, the host's own, which is told
        apart by SNI where its address does not do that. Subnets of one match stay for those after
        it, as in Istio."""
        by_name = bool(ranges)
        handled: set[tuple[tuple[str, ...], tuple[str, ...]]] = set()
        for rule in self._rules:
            for number, route in enumerate(_of(rule.spec.tls, rule, host)):
                for match in route.match:
                    if not match_applies(self._view, match, port.port):
                        continue
                    names, subnets = tuple(match.sni_hosts), tuple(match.destination_subnets)
                    ranges = subnets or ranges
                    if (names, subnets) in handled:
                        continue
                    handled.add((names, subnets))
                    metadata = build_l4_metadata(rule, "tls", number)
                    proxy = self._route(rule, route.route, host, port)
                    yield Chain((proxy,), sni=names, ranges=ranges, metadata=metadata)
        if not handled:
            by_name = by_name or not (host.addresses or host.headless)
            own = self._own(host, port, chosen)
            sni = (host.name, *self._view.aliases(host.name)) if by_name else ()
            yield Chain((own,), sni=sni, ranges=ranges)

    def _tcp(
        self, host: Host, port: ServicePort, chosen: Json, ranges: tuple[str, ...]
    ) -> Iterator[Chain]:
        """Of its rules' tcp routes those for subnets, until one matches every address; the host's
        own where none does (buildSidecarOutboundTCPFilterChainOpts)."""
        handled: list[list[str]] = []
        for rule in self._rules:
            for number, route in enumerate(_of(rule.spec.tcp, rule, host)):
                matches = [m for m in route.match if match_applies(self._view, m, port.port)]
                if route.match and not matches:
                    continue
                metadata = build_l4_metadata(rule, "tcp", number)
                proxy = self._route(rule, route.route, host, port)
                if not all(m.destination_subnets for m in matches) or not matches:
                    yield Chain((proxy,), ranges=ranges, metadata=metadata)
                    return
                subnets = [subnet for m in matches for subnet in m.destination_subnets]
                yield Chain((proxy,), ranges=tuple(subnets), metadata=metadata)
                handled.append(sorted(subnets))
        if sorted(ranges) not in handled:
            yield Chain((self._own(host, port, chosen),), ranges=ranges)

    def _route(
        self,
        rule: Named[VirtualService],
        entries: Sequence[RouteDestination],
        host: Host,
        port: ServicePort,
    ) -> Json:
        """To the destinations of a rule's route."""
        target = build_target(self._view, rule, entries, port.port)
        policy = route_policy(self._view, rule.namespace, entries)
        stat_prefix = str(target.get("cluster") or outbound_cluster(port.port, host.name))
        return self.tcp_proxy(stat_prefix, **target, **policy)

    def _own(self, host: Host, port: ServicePort, chosen: Json) -> Json:
        """To the host itself."""
        cluster = outbound_cluster(port.port, host.name)
        policy = connection_policy(self._view, host.name)
        return self.tcp_proxy(cluster, cluster=cluster, **chosen, **policy)

    def tcp_proxy(self, stat_prefix: str, **fields: object) -> Json:
        """The filter that passes a connection on as bytes."""
        return build_extension(
            "envoy.filters.network.tcp_proxy",
            _TCP_PROXY,
            stat_prefix=stat_prefix,
            access_log=[
                *build_access_log(self._log, "outbound", self._report),
                *connection_metrics(self._workload, self._report.metrics),
            ],
            **fields,
        )

    def black_hole(self) -> Json:
        """The filter that closes a connection."""
        return self.tcp_proxy(BLACK_HOLE_CLUSTER, cluster=BLACK_HOLE_CLUSTER)

    def without_rule(self) -> Json:
        """The filter for a connection that no rule opens: closed, or, under ALLOW_ANY, passed on
        to its own address or to the egress proxy."""
        if not self._view.allows_any:
            return self.black_hole()
        cluster = self._view.egress_proxy or passthrough.POD_NETWORK
        return self.tcp_proxy(cluster, cluster=cluster)


def _is_sniffed(host: Host, port: ServicePort) -> bool:
    """Whether the server's sidecar has to tell bytes from HTTP: its port has no protocol, or the
    client's ServiceEntry alone names it."""
    if host.in_mesh:
        return port.kind == "AUTO"
    return any(e.workload for e in host.endpoints.get(port.port, ()))


def _announce_bytes() -> Json:
    """The filter by which the server's sidecar learns that a connection to a port without a
    protocol is not HTTP: ALPN, which by default says HTTP."""
    value = {"text_format_source": {"inline_string": ",".join(tls.TCP_ALPN)}}
    state = {
        "object_key": "envoy.network.application_protocols",
        "format_string": value,
        "shared_with_upstream": "ONCE",
    }
    return build_extension(
        "envoy.filters.network.set_filter_state", _STATE, on_new_connection=[state]
    )


def _of(entries: list[Route], rule: Named[VirtualService], host: Host) -> list[Route]:
    """The routes of a rule, as far as it is for a host."""
    return entries if is_for_host(rule, host.name) else []
