"""The RouteConfiguration ``outbound``: every host of every port that a sidecar may speak to.

Istio has one RouteConfiguration a port, since it knows the port of a connection; a forward proxy
knows it from the request alone, so ours has them all and matches hosts with their port (Istio:
core/httproute.go). What is not listed falls to ``block_all``: REGISTRY_ONLY.

CONNECT never passes a rule by: to an HTTP port it is ended here and led back into this very
listener, to a port of another protocol it goes to that host's cluster, and else it is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from meshproof.model.virtual_service import VirtualService
from meshproof.translate import passthrough
from meshproof.translate.host_names import covers, fqdn, is_wildcard
from meshproof.translate.proto import Json
from meshproof.translate.proxy_view import ProxyView, proxy_names
from meshproof.translate.registry import Host
from meshproof.translate.resource_names import BLOCK_ALL, CONNECT_LOOP, OUTBOUND
from meshproof.translate.routes import (
    MESH,
    RouteContext,
    build_default_routes,
    build_rule_routes,
    gateway_keys,
)
from meshproof.translate.tunnels import REFUSE, build_connect_route, build_tcp_routes, l4_rules
from meshproof.translate.world import Named

_BODY_LIMIT = 1048576
_DEFAULT_PORT = 80


def build_outbound_routes(view: ProxyView) -> Json:
    """The whole table: virtual hosts by name, the refusal last."""
    virtual_hosts = _VirtualHosts(view)
    ports = sorted({p.port for h in view.hosts.values() for p in h.ports} | {_DEFAULT_PORT})
    for port in ports:
        for name, routes in _http_hosts(view, port):
            virtual_hosts.add(name, port, [build_connect_route({"cluster": CONNECT_LOOP}), *routes])
    rules = l4_rules(view)
    for host in view.hosts.values():
        for p in host.ports if not host.alias_of else ():
            if p.protocol != "HTTP":
                virtual_hosts.add(host.name, p.port, build_tcp_routes(view, rules, host, p))
    for name, number in passthrough.open_ports(view.passthrough()):
        virtual_hosts.add(name, number, passthrough.build_routes(name, number))
    return build_route_configuration(OUTBOUND, [*virtual_hosts.sorted(), _build_block_all()])


def build_route_configuration(name: str, virtual_hosts: list[Json]) -> Json:
    """Common fields: a route may name a cluster that does not exist (503 NC, as in Istio)."""
    return {
        "name": name,
        "validate_clusters": False,
        "max_direct_response_body_size_bytes": _BODY_LIMIT,
        "virtual_hosts": virtual_hosts,
    }


class _VirtualHosts:
    """Virtual hosts under construction: of each name and domain the first writer wins."""

    def __init__(self, view: ProxyView) -> None:
        self._view = view
        self._domains: set[str] = set()
        self._hosts: dict[str, Json] = {}

    def add(self, name: str, port: int, routes: list[Json]) -> None:
        key = f"{name}:{port}"
        if key in self._hosts:
            return
        domains = []
        for domain in self._domains_of(name, port):
            if domain.lower() not in self._domains:
                self._domains.add(domain.lower())
                domains.append(domain)
        if domains:
            self._hosts[key] = {
                "name": key,
                "domains": domains,
                "routes": routes,
                "include_request_attempt_count": True,
            }

    def _domains_of(self, name: str, port: int) -> Iterator[str]:
        """All that a URL may call it, with the port, and without it where that is 80.

        A short form that is another host's full name is left to that host. What has not this port
        is called by its full name alone.
        """
        host = self._view.hosts.get(name)
        names = [name]
        elsewhere = host is not None and host.port(port) is None
        if not is_wildcard(name) and not elsewhere:
            names.append(f"{name}.")
        if host is not None and not elsewhere:
            names += self._short_names(name)
            names += [a for a in host.addresses if "/" not in a]
            for alias in self._view.aliases(name):
                names += [alias, f"{alias}.", *self._short_names(alias)]
        for text in names:
            if port == _DEFAULT_PORT and text != "*":  # "*" alone is the refusal's
                yield text
            yield f"{text}:{port}"

    def _short_names(self, name: str) -> list[str]:
        short = proxy_names(name, self._view.proxy.namespace)
        return [s for s in short if s not in self._view.hosts]

    def sorted(self) -> list[Json]:
        return [self._hosts[key] for key in sorted(self._hosts)]


def _http_hosts(view: ProxyView, port: int) -> Iterator[tuple[str, list[Json]]]:
    """Hosts with their routes: those of VirtualServices first, in the rules' order."""
    services = [h.name for h in view.hosts.values() if _speaks_http(h, port)]
    rules = [r for r in view.virtual_services() if MESH in gateway_keys(r)]
    patterns = _nearest_hosts(rules, services)
    for rule in rules:
        names = list(_rule_hosts(rule, patterns, port))
        if rule.gateway:
            names = [n for n in names if _is_producer_or_consumer(view, rule, n)]
        routes = build_rule_routes(view, rule, RouteContext(port)) if names else []
        if routes:
            yield from ((name, routes) for name in names)
    for name in services:
        if view.hosts[name].alias_of:
            continue  # a name of the other host's own routes
        yield name, list(build_default_routes(view, name, port))


def _is_producer_or_consumer(view: ProxyView, rule: Named[VirtualService], host: str) -> bool:
    """Whether routes of HTTPRoutes are for this sidecar: those of the Service's own namespace are
    for all (producer), others for the sidecars of their own (consumer)."""
    service = view.hosts.get(host)
    return service is not None and rule.namespace in (service.namespace, view.proxy.namespace)


def _speaks_http(host: Host, port: int) -> bool:
    service_port = host.port(port)
    return service_port is not None and service_port.protocol == "HTTP"


def _nearest_hosts(
    rules: Iterable[Named[VirtualService]], services: Iterable[str]
) -> dict[str, tuple[str, Named[VirtualService]] | None]:
    """For each service the nearest written host, name before wildcard, and its first rule."""
    first: dict[str, Named[VirtualService]] = {}
    for rule in rules:
        for host in rule.spec.hosts:
            first.setdefault(_host_name(host, rule), rule)
    wildcards = sorted((w for w in first if is_wildcard(w)), key=len, reverse=True)
    nearest: dict[str, tuple[str, Named[VirtualService]] | None] = {}
    for name in services:
        match = name if name in first else next((w for w in wildcards if covers(w, name)), None)
        nearest[name] = None if match is None else (match, first[match])
    return nearest


def _rule_hosts(
    rule: Named[VirtualService],
    nearest_hosts: dict[str, tuple[str, Named[VirtualService]] | None],
    port: int,
) -> Iterator[str]:
    """The hosts of a rule at this port: services by name; those to which its wildcard is the
    nearest host of the nearest rule. What is no service here stands beside one, or on port 80."""
    services, unknown = [], []
    for host in rule.spec.hosts:
        name = _host_name(host, rule)
        if name in nearest_hosts:
            services.append(name)
        elif is_wildcard(name) and any(covers(name, service) for service in nearest_hosts):
            services += [s for s, nearest in nearest_hosts.items() if nearest == (name, rule)]
        elif name != "*":
            unknown.append(name)
    yield from services
    if services or port == _DEFAULT_PORT:
        yield from unknown


def _host_name(host: str, rule: Named[VirtualService]) -> str:
    """A rule's host in full; upper and lower case are the same."""
    return fqdn(host, rule.namespace).lower()


def _build_block_all() -> Json:
    """Refusal is 502 with an empty body, CONNECT included."""
    matches: list[Json] = [{"connect_matcher": {}}, {"prefix": "/"}]
    return {
        "name": BLOCK_ALL,
        "domains": ["*"],
        "routes": [{"name": BLOCK_ALL, "match": m, **REFUSE} for m in matches],
        "include_request_attempt_count": True,
    }
