"""Gateways: a listener for each Gateway server port, and its RouteConfigurations.

Istio: core/gateway.go. VirtualServices of one host are merged for a gateway, server by server and
then in the rules' order, catch-all routes last. A host without a route gets 404 NR, and so does
every host of a gateway without routes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from meshproof.model.gateway import GatewayServer
from meshproof.model.virtual_service import VirtualService
from meshproof.translate.access_logs import build_access_log
from meshproof.translate.certificates import Certificates
from meshproof.translate.gateway_chains import ByteChains
from meshproof.translate.gateway_servers import (
    RouteTable,
    route_tables,
)
from meshproof.translate.gateway_tls import build_tls_socket
from meshproof.translate.hcm import build_connection_manager, upgrade_configs
from meshproof.translate.host_names import covers, fqdn
from meshproof.translate.listeners import build_listener, tls_inspector
from meshproof.translate.mesh_settings import (
    connection_manager_settings,
    counts_attempts,
    hides_debug_headers,
)
from meshproof.translate.metrics import client_metrics, connection_metrics
from meshproof.translate.outbound_routes import build_route_configuration
from meshproof.translate.peer_metadata import announce_peer
from meshproof.translate.proto import Json
from meshproof.translate.proxy_view import ProxyView
from meshproof.translate.resource_names import gateway_routes
from meshproof.translate.route_match import is_catch_all
from meshproof.translate.routes import GatewayKey, RouteContext, build_rule_routes, gateway_keys
from meshproof.translate.security_filters import SecurityFilters, select_security_filters
from meshproof.translate.telemetry import select_reporting
from meshproof.translate.workload_metadata import WorkloadMetadata
from meshproof.translate.world import Config, Named, Proxy, Resource, World, mesh_of

NOT_FOUND = "not_found"


def add_gateway_routes(view: ProxyView, world: World, config: Config) -> None:
    """Add the table ``http.<port>`` for every plain Gateway server port of the view's proxy, and
    one for each HTTPS server."""
    filters = select_security_filters(world, view.proxy, "CLIENT")
    for table in route_tables(world, view.proxy):
        if not table.http:
            continue
        name = filters.route_table_name(table.name)
        routes = _build_route_table(view, name, table)
        if filters.is_active():
            routes = {
                **routes,
                "virtual_hosts": list(_add_not_found_routes(routes["virtual_hosts"])),
            }
        config.routes[name] = filters.apply_to_routes(routes, table.pod_port)


def _add_not_found_routes(hosts: list[Json]) -> Iterator[Json]:
    """With a catch-all 404 route: policies apply to routes alone, and a caller who is denied must
    get that answer before a 404, as in Istio."""
    unknown: Json = {
        "name": NOT_FOUND,
        "match": {"prefix": "/"},
        "direct_response": {"status": 404},
    }
    for host in hosts:
        yield {**host, "routes": [*host.get("routes", ()), unknown]}
    if not any("*" in host["domains"] for host in hosts):
        yield {"name": NOT_FOUND, "domains": ["*"], "routes": [unknown]}


def gateway_listeners(
    world: World, proxy: Proxy, ip: str, port_map: Mapping[int, int], log: str
) -> dict[str, Resource]:
    """Listeners by name; ``port_map`` gives the port to bind for a Gateway server's port."""
    filters = select_security_filters(world, proxy, "CLIENT")
    certificates = Certificates(world, proxy)
    report = select_reporting(world, proxy, "CLIENT")
    counts = connection_metrics(_metadata_of(proxy), report.metrics)
    logs = [*build_access_log(log, "gateway", report), *counts]
    byte_chains = ByteChains(ProxyView(world, proxy), logs)
    chains_by_port: dict[int, list[Json]] = {}
    names_by_port: dict[int, set[str]] = {}
    # Names that a port's chains match: Envoy refuses a listener with one name in two chains.
    for table in route_tables(world, proxy):
        settings = table.first.terminated
        socket = None
        if settings is not None:
            socket = build_tls_socket(settings, certificates, world.mesh, http=table.http)
            if socket is None:
                continue
        chains = chains_by_port.setdefault(table.port, [])
        names = names_by_port.setdefault(table.port, set())
        names.update(table.server_names() if settings is not None else ())
        if table.http:
            http = _connection_manager(world, proxy, table, filters, log)
            plugins = filters.plugins.network_filters(table.pod_port)
            chains.append(_http_chain(table, [*plugins, http], socket))
        else:
            policies = filters.network_filters(table.pod_port)
            chains.extend(byte_chains.build(table, socket, policies, names))
    listeners: dict[str, Resource] = {}
    for port, chains in chains_by_port.items():
        if not chains:
            continue
        name = gateway_routes(port)
        fields: Json = {}
        if any("transport_socket" in c or "filter_chain_match" in c for c in chains):
            fields["listener_filters"] = [tls_inspector()]
        listeners[name] = build_listener(
            name, ip, port_map.get(port, port), chains, "OUTBOUND", **fields
        )
    return listeners


def _http_chain(table: RouteTable, filters: list[Json], socket: Json | None) -> Json:
    if socket is None:
        return {"filters": filters}
    chain: Json = {"name": table.name, "filters": filters, "transport_socket": socket}
    if table.server_names():
        chain["filter_chain_match"] = {"server_names": table.server_names()}
    return chain


def _metadata_of(proxy: Proxy) -> WorkloadMetadata:
    return WorkloadMetadata(proxy.namespace, proxy.workload, proxy.labels)


def _connection_manager(
    world: World, proxy: Proxy, table: RouteTable, filters: SecurityFilters, log: str
) -> Json:
    workload, mesh = _metadata_of(proxy), mesh_of(world, proxy)
    report = select_reporting(world, proxy, "CLIENT")
    return build_connection_manager(
        table.name,
        routes=filters.route_table_name(table.name),
        logs=[
            *build_access_log(log, "gateway", report),
            *client_metrics(workload, report.metrics),
        ],
        first_filters=filters.http_filters(table.pod_port, rerouting=True),
        report=report,
        workload=workload,
        can_fault=True,
        early_header_mutation_extensions=announce_peer(workload),
        hide_debug_headers=hides_debug_headers(mesh),
        use_remote_address=True,
        upgrade_configs=upgrade_configs("websocket"),
        **connection_manager_settings(mesh, "gateway"),
    )


def _build_route_table(view: ProxyView, name: str, table: RouteTable) -> Json:
    """The table of one port. Hosts match with any port, since the bound one differs."""
    merged, redirected = _merge_hosts(view, table)
    hosts: list[Json] = [
        {
            "name": f"{host}:{port}",
            "domains": [host],
            "routes": sorted(routes, key=lambda route: is_catch_all(route["match"])),
            "include_request_attempt_count": counts_attempts(view.mesh),
            **({"require_tls": "ALL"} if host in redirected else {}),
        }
        for host, (port, routes) in sorted(merged.items(), key=lambda i: (i[0] == "*", i[0]))
    ]
    if not hosts:
        hosts = [{"name": f"blackhole:{table.first.port.number}", "domains": ["*"]}]
    return build_route_configuration(name, hosts) | {"ignore_port_in_host_matching": True}


_Routes = tuple[int, list[Json]]
"""The port of the first server that has a host, and the host's routes."""


def _merge_hosts(view: ProxyView, table: RouteTable) -> tuple[dict[str, _Routes], set[str]]:
    """Routes by host, server by server; and the hosts that are redirected to HTTPS: those of a
    server with ``httpsRedirect``, whether a rule or only the server names them."""
    rules = view.virtual_services()
    merged: dict[str, _Routes] = {}
    redirected: set[str] = set()
    for gateway, server in table.servers:
        port, hosts = server.port.number, set[str]()
        for host, routes in _host_routes(view, rules, port, gateway, server):
            merged.setdefault(host, (port, []))[1].extend(routes)
            hosts.add(host)
        if server.tls and server.tls.https_redirect:
            hosts |= _redirected_hosts(server)
            redirected |= hosts
            for host in hosts:
                merged.setdefault(host, (port, []))
    return merged, redirected


def _redirected_hosts(server: GatewayServer) -> set[str]:
    """A server's hosts; Istio's redirect never matches those that are limited to a namespace."""
    parts = (host.lower().rpartition("/") for host in server.hosts)
    return {name for namespace, slash, name in parts if not slash or namespace == "*"}


def _host_routes(
    view: ProxyView,
    rules: Iterable[Named[VirtualService]],
    port: int,
    gateway: GatewayKey,
    server: GatewayServer,
) -> Iterator[tuple[str, list[Json]]]:
    """Each host of each VirtualService of ``gateway`` that the server admits, with the rule's
    routes for that Gateway; a rule without routes for it is skipped."""
    for rule in rules:
        if gateway not in gateway_keys(rule):
            continue
        names = (fqdn(host, rule.namespace).lower() for host in rule.spec.hosts)
        hosts = [
            common
            for host in names
            for pattern in server.hosts
            if (common := _common_host(pattern.lower(), host, gateway, rule.namespace))
        ]
        if not hosts:
            continue
        context = RouteContext(port, frozenset({gateway}), secure=server.port.speaks_tls)
        if routes := build_rule_routes(view, rule, context):
            for host in dict.fromkeys(hosts):
                yield host, routes


def _common_host(pattern: str, host: str, gateway: GatewayKey, namespace: str) -> str:
    """The host that server and rule have in common: the narrower of the two, or ``""``.

    A server's ``ns/host`` admits only rules of that namespace (``.`` is the Gateway's own, ``*``
    any).
    """
    scope, slash, name = pattern.rpartition("/")
    if slash and scope != "*" and namespace != (gateway[0] if scope == "." else scope):
        return ""
    if covers(name, host):
        return host
    return name if covers(host, name) else ""
