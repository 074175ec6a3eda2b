"""Gateway servers: which ones a gateway Envoy carries, and how an HTTPS server terminates TLS.

Plain HTTP servers of one port share a route table and a filter chain. Each HTTPS server has its
own, selected by SNI; its certificate is a Secret in the gateway's namespace, as in Istio. Without
the Secret the server is left out: nothing listens, where Istio's listener fails the handshake.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from meshproof.model.gateway import GatewayServer, ServerTLSSettings
from meshproof.translate.proto import Json, build_extension
from meshproof.translate.resource_names import gateway_routes, secure_gateway_routes
from meshproof.translate.routes import GatewayKey
from meshproof.translate.tls import CONTEXTS
from meshproof.translate.workload_selection import has_labels
from meshproof.translate.world import Proxy, TlsSecret, World

Servers = list[tuple[GatewayKey, GatewayServer]]
INSPECTOR = "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector"
_VERSIONS = {"TLSV1_2": "TLSv1_2", "TLSV1_3": "TLSv1_3", "TLS_AUTO": "TLS_AUTO"}


@dataclass(frozen=True, slots=True)
class RouteTable:
    """One route table of one port, with its servers."""

    name: str
    port: int
    servers: Servers

    @property
    def tls(self) -> ServerTLSSettings | None:
        """How TLS is terminated; None for plain HTTP."""
        first = self.servers[0][1]
        return first.tls if first.port.protocol == "HTTPS" else None

    def server_names(self) -> list[str]:
        """The SNI names that it takes; empty for any."""
        return [] if "*" in self.hosts() else self.hosts()

    def hosts(self) -> list[str]:
        """Of all servers in lower case, without their namespaces."""
        hosts = (h.lower().rpartition("/")[2] for _, server in self.servers for h in server.hosts)
        return list(dict.fromkeys(hosts))


def route_tables(world: World, proxy: Proxy) -> Iterator[RouteTable]:
    """In the order of ports. Of two HTTPS servers with a common name the second is left out
    entirely, as in Istio (``CheckDuplicates`` in pilot/pkg/model/gateway.go)."""
    for port, servers in servers_by_port(world, proxy).items():
        plain = [(k, s) for k, s in servers if s.port.protocol != "HTTPS"]
        if plain:
            yield RouteTable(gateway_routes(port), port, plain)
            continue  # a port is HTTP or HTTPS: the oldest Gateway decides
        hosts: set[str] = set()
        for key, server in servers:
            table = RouteTable(secure_gateway_routes(server, key), port, [(key, server)])
            if hosts.isdisjoint(table.hosts()):
                hosts.update(table.hosts())
                yield table


def servers_by_port(world: World, proxy: Proxy) -> dict[int, Servers]:
    """The servers of all Gateways that select this proxy, by port in order."""
    servers: dict[int, Servers] = {}
    for gateway in world.gateways:
        if has_labels(proxy.labels, gateway.spec.selector):
            for server in gateway.spec.servers:
                key = (gateway.namespace, gateway.name)
                servers.setdefault(server.port.number, []).append((key, server))
    return dict(sorted(servers.items()))


def build_filter_chain(
    table: RouteTable, http: Json, secrets: Iterable[TlsSecret], namespace: str
) -> Json | None:
    """The filter chain of a table; None if its Secret does not exist."""
    if table.tls is None:
        return {"filters": [http]}
    name = table.tls.credential_name
    secret = next((s for s in secrets if (s.name, s.namespace) == (name, namespace)), None)
    if secret is None:
        return None
    chain: Json = {
        "name": table.name,
        "filters": [http],
        "transport_socket": _build_tls_socket(table, secret),
    }
    if table.server_names():
        chain["filter_chain_match"] = {"server_names": table.server_names()}
    return chain


def _build_tls_socket(table: RouteTable, secret: TlsSecret) -> Json:
    tls = table.tls or ServerTLSSettings()
    versions = {"tls_minimum_protocol_version": _VERSIONS[tls.min_protocol_version or "TLSV1_2"]}
    if tls.max_protocol_version:
        versions["tls_maximum_protocol_version"] = _VERSIONS[tls.max_protocol_version]
    certificate = {
        "certificate_chain": {"inline_string": secret.chain},
        "private_key": {"inline_string": secret.key},
    }
    return build_extension(
        "envoy.transport_sockets.tls",
        f"{CONTEXTS}.DownstreamTlsContext",
        common_tls_context={
            "tls_params": versions,
            "alpn_protocols": ["h2", "http/1.1"],
            "tls_certificates": [certificate],
        },
    )
