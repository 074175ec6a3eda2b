"""Filter chains of gateway servers that route connections, not requests: TCP, and TLS that is
passed through or terminated for bytes.

Istio: createGatewayTCPFilterChainOpts in core/gateway.go. A server without a matching TCP or TLS
route has no chain: its connections are closed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from meshproof.model.gateway import GatewayServer
from meshproof.model.virtual_service import VirtualService
from meshproof.model.virtual_service_l4 import L4MatchAttributes, RouteDestination
from meshproof.translate import tls
from meshproof.translate.clusters import sni_dnat_hosts
from meshproof.translate.connection_policy import route_policy
from meshproof.translate.gateway_servers import RouteTable
from meshproof.translate.host_names import covers, fqdn, gateway_key
from meshproof.translate.proto import Json, build_extension
from meshproof.translate.proxy_view import ProxyView
from meshproof.translate.resource_names import outbound_sni
from meshproof.translate.routes import GatewayKey, gateway_keys
from meshproof.translate.tunnels import build_target
from meshproof.translate.world import Named

_TCP_PROXY = "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"
_MONGO = "envoy.extensions.filters.network.mongo_proxy.v3.MongoProxy"


class ByteChains:
    """Builds the chains of one gateway. ``logs`` are those of its connections."""

    def __init__(self, view: ProxyView, logs: list[Json]) -> None:
        self._view, self._logs = view, logs

    def build(
        self, table: RouteTable, socket: Json | None, policies: list[Json], names_in_use: set[str]
    ) -> Iterator[Json]:
        """Every chain of a table. ``socket`` terminates TLS. ``names_in_use`` are SNI names of the
        port, to which those of these chains are added: of two chains with a common name the second
        is left out."""
        ((gateway, server),) = table.servers
        if server.tls is not None and server.tls.mode == "AUTO_PASSTHROUGH":
            yield from self._auto_passthrough(table)
            return
        if server.tls is None or server.terminated is not None:
            target = self._tcp_target(gateway, server)
            if target is not None:
                chain = self._chain(table, table.name, target, table.server_names())
                chain["filters"] = [*policies, *chain["filters"]]
                yield {**chain, "transport_socket": socket} if socket is not None else chain
            return
        for name, names, target in self._tls_targets(table, gateway, server):
            if names_in_use.isdisjoint(names):
                names_in_use.update(names)
                chain = self._chain(table, name, target, [] if "*" in names else names)
                yield {**chain, "filters": [*policies, *chain["filters"]]}

    def _chain(self, table: RouteTable, name: str, target: Json, server_names: list[str]) -> Json:
        proxy = build_extension(
            "envoy.filters.network.tcp_proxy",
            _TCP_PROXY,
            stat_prefix=table.name,
            access_log=self._logs,
            **target,
        )
        chain: Json = {"name": name, "filters": [*_codecs(table.first), proxy]}
        if server_names:
            chain["filter_chain_match"] = {"server_names": server_names}
        return chain

    def _rules(
        self, gateway: GatewayKey, server: GatewayServer
    ) -> Iterator[tuple[Named[VirtualService], list[str]]]:
        """The rules that are bound to a server, each with those of its hosts that it serves."""
        for rule in self._view.virtual_services():
            if gateway not in gateway_keys(rule):
                continue
            hosts = [h for h in rule.spec.hosts if _serves(server, gateway, h, rule.namespace)]
            if hosts:
                yield rule, hosts

    def _tcp_target(self, gateway: GatewayKey, server: GatewayServer) -> Json | None:
        """The first TCP route of the first rule with one; of a TLSRoute that terminates, its TLS
        route, as in Istio."""
        port = server.port.number
        for rule, _ in self._rules(gateway, server):
            for route in rule.spec.tcp:
                if not route.match or any(_applies(m, rule, gateway, port) for m in route.match):
                    return self._target(rule, route.route, port)
            if not (rule.gateway and server.terminated):
                continue
            for tls_route in rule.spec.tls:
                if any(_applies(m, rule, gateway, port) for m in tls_route.match):
                    return self._target(rule, tls_route.route, port)
        return None

    def _tls_targets(
        self, table: RouteTable, gateway: GatewayKey, server: GatewayServer
    ) -> Iterator[tuple[str, list[str], Json]]:
        """A name, the SNI names and the target of every match of every TLS route."""
        port = server.port.number
        for rule, _ in self._rules(gateway, server):
            for number, route in enumerate(rule.spec.tls):
                for index, match in enumerate(route.match):
                    if _applies(match, rule, gateway, port):
                        name = f"{table.name}~{rule.namespace}.{rule.name}.{number}.{index}"
                        names = [n.lower() for n in match.sni_hosts]
                        yield name, names, self._target(rule, route.route, port)

    def _target(
        self, rule: Named[VirtualService], entries: Sequence[RouteDestination], port: int
    ) -> Json:
        policy = route_policy(self._view, rule.namespace, entries)
        return {**build_target(self._view, rule, entries, port), **policy}

    def _auto_passthrough(self, table: RouteTable) -> Iterator[Json]:
        """A chain for each port and subset of each service in the mesh that the server's hosts
        cover: SNI names the cluster, and ALPN says that the mesh's own TLS is inside."""
        for host, port, subset in sni_dnat_hosts(self._view):
            if not any(covers(pattern, host) for pattern in table.hosts()):
                continue
            sni = outbound_sni(port, host, subset)
            chain = self._chain(table, sni, {"cluster": sni}, [sni])
            chain["filter_chain_match"]["application_protocols"] = list(tls.MESH_ALPN)
            yield chain


def _codecs(server: GatewayServer) -> list[Json]:
    """MONGO is counted by its own filter, before the bytes are passed on."""
    if server.port.protocol != "MONGO":
        return []
    name = server.name or server.port.name or "mongo"
    return [build_extension("envoy.filters.network.mongo_proxy", _MONGO, stat_prefix=name)]


def _serves(server: GatewayServer, gateway: GatewayKey, host: str, namespace: str) -> bool:
    """Whether a server takes a rule's host: one of their names covers the other, and its namespace
    is the rule's (pickMatchingGatewayHosts)."""
    for pattern in server.hosts:
        scope, slash, name = pattern.lower().rpartition("/")
        own = gateway[0] if scope == "." else scope
        if slash and own not in ("*", namespace):
            continue
        full = fqdn(host, namespace).lower()
        if covers(name, full) or covers(full, name):
            return True
    return False


def _applies(
    match: L4MatchAttributes, rule: Named[VirtualService], gateway: GatewayKey, port: int
) -> bool:
    """Unlike on a sidecar, labels and namespaces of callers count for nothing (l4SingleMatch)."""
    named = not match.gateways or any(
        name != "mesh" and gateway_key(name, rule.namespace) == gateway for name in match.gateways
    )
    return match.port in (None, port) and named
