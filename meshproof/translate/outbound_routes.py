"""The RouteConfiguration ``outbound``: every host and port that a sidecar's app may call.

Istio has one RouteConfiguration for each port, since it knows the port of a connection. A forward
proxy knows it from the request alone, so there is one for all ports, which matches hosts with
their port (Istio: core/httproute.go). Every other host gets ``block_all``: REGISTRY_ONLY.

CONNECT cannot bypass a rule. To an HTTP port it is terminated here and its requests come back to
this listener; to a port of another protocol it goes to that host's cluster; all else is refused.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from meshproof.istio_names import BLOCK_ALL, connect_loop
from meshproof.model.pod_network import is_address
from meshproof.model.virtual_service import VirtualService
from meshproof.translate import passthrough
from meshproof.translate.host import Host
from meshproof.translate.host_names import covers, fqdn, is_wildcard, short_names
from meshproof.translate.mesh_settings import counts_attempts
from meshproof.translate.proto import Json
from meshproof.translate.proxy_view import ProxyView
from meshproof.translate.resource_names import OUTBOUND
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
    """The whole table: virtual hosts by name, ``block_all`` last."""
    virtual_hosts = VirtualHosts(view)
    ports = sorted({p.port for h in view.hosts.values() for p in h.ports} | {_DEFAULT_PORT})
    for port in ports:
        for name, routes in http_hosts(view, port):
            tunnel = build_connect_route({"cluster": connect_loop(port)})
            virtual_hosts.add(name, port, [tunnel, *routes])
    rules = l4_rules(view)
    for host in view.hosts.values():
        for p in host.ports if not host.alias_of else ():
            if p.protocol != "HTTP":
                virtual_hosts.add(host.name, p.port, build_tcp_routes(view, rules, host, p))
    for name, number in passthrough.open_ports(view.passthrough_hosts()):
        virtual_hosts.add(name, number, passthrough.build_routes(name, number), is_open=True)
    others = build_block_all(view, tunnels=True)
    if view.egress_proxy:
        others |= passthrough.build_allow_any(view.egress_proxy, tunnels=True)
    return build_route_configuration(OUTBOUND, [*virtual_hosts.sorted(), others])


def build_route_configuration(name: str, virtual_hosts: list[Json]) -> Json:
    """With the common fields: a route may name a missing cluster (503 NC, as in Istio)."""
    return {
        "name": name,
        "validate_clusters": False,
        "max_direct_response_body_size_bytes": _BODY_LIMIT,
        "virtual_hosts": virtual_hosts,
    }


class VirtualHosts:
    """Virtual hosts under construction: the first to use a name or a domain wins. ``of_port`` is
    for a table of one port, which ignores the port that a request names."""

    def __init__(self, view: ProxyView, *, of_port: bool = False) -> None:
        self._view, self._of_port = view, of_port
        self._domains: set[str] = set()
        self._hosts: dict[str, Json] = {}

    def add(self, name: str, port: int, routes: list[Json], *, is_open: bool = False) -> None:
        """``is_open``: the host is reached without being a service (ALLOW_ANY)."""
        key = f"{name}:{port}"
        if key in self._hosts:
            return
        domains = []
        for domain in self._domains_of(name, port, is_open=is_open):
            if domain.lower() not in self._domains:
                self._domains.add(domain.lower())
                domains.append(domain)
        if domains:
            self._hosts[key] = {
                "name": key,
                "domains": domains,
                "routes": routes,
                "include_request_attempt_count": counts_attempts(self._view.mesh),
            }

    def _domains_of(self, name: str, port: int, *, is_open: bool) -> Iterator[str]:
        """All names that a URL may use, with the port, and without it for port 80.

        A short name that is another host's full name belongs to that host. Names of no service,
        and a host without this port, have only the name as it is written (Istio:
        generateVirtualHostDomains). Any name below a headless Service is the Service's too, unless
        its pods have names: then no other resolves in Kubernetes, so no client gets that far.
        """
        host = self._view.hosts.get(name)
        names = [name, *(_absolute(name) if is_open else [])]
        if host is not None and host.port(port) is not None:
            for alias in (name, *self._view.aliases(name)):
                names += [alias, *_absolute(alias), *self._short_names(alias)]
            if host.headless and not self._names_pods(name):
                names += [f"*.{text}" for text in list(dict.fromkeys(names))]
            names += [a for a in host.addresses if "/" not in a]
        if self._of_port:
            yield from (text for text in names if text != "*")
            return
        for text in names:
            if port == _DEFAULT_PORT and text != "*":  # "*" alone is block_all's
                yield text
            yield f"{text}:{port}"

    def _names_pods(self, service: str) -> bool:
        return any(name.endswith(f".{service}") for name in self._view.hosts)

    def _short_names(self, name: str) -> list[str]:
        short = short_names(name, self._view.proxy.namespace)
        return [s for s in short if s not in self._view.hosts]

    def sorted(self) -> list[Json]:
        return [self._hosts[key] for key in sorted(self._hosts)]


def _absolute(name: str) -> list[str]:
    """``name.``, as DNS writes names that are complete; an address has no such form."""
    return [] if name == "*" or is_address(name) else [f"{name}."]


def http_hosts(view: ProxyView, port: int) -> Iterator[tuple[str, list[Json]]]:
    """HTTP hosts with their routes, those of VirtualServices first, in the rules' order."""
    services = [h.name for h in view.hosts.values() if speaks_http(h, port)]
    others = [h.name for h in view.hosts.values() if h.port(port) and not speaks_http(h, port)]
    rules = [r for r in view.virtual_services() if MESH in gateway_keys(r)]
    patterns = _nearest_hosts(rules, services)
    # Istio has routes of port 80 where a listener is: for a service that the sidecar knows.
    takes_unknown = port == _DEFAULT_PORT and (bool(services) or view.knows_the_gateway())
    for rule in rules:
        names = list(_rule_hosts(rule, patterns, others, takes_unknown=takes_unknown))
        if rule.gateway:
            names = [n for n in names if _is_producer_or_consumer(view, rule, n)]
        routes = build_rule_routes(view, rule, RouteContext(port)) if names else []
        if routes:
            yield from ((name, routes) for name in names)
    for name in services:
        if view.hosts[name].alias_of:
            continue  # a domain of the other host
        yield name, list(build_default_routes(view, name, port))


def _is_producer_or_consumer(view: ProxyView, rule: Named[VirtualService], host: str) -> bool:
    """Whether an HTTPRoute applies to this sidecar: one in the Service's namespace applies to all
    callers (producer route), any other to callers of its own namespace (consumer route)."""
    service = view.hosts.get(host)
    return service is not None and rule.namespace in (service.namespace, view.proxy.namespace)


def speaks_http(host: Host, port: int) -> bool:
    service_port = host.port(port)
    return service_port is not None and service_port.protocol == "HTTP"


def _nearest_hosts(
    rules: Iterable[Named[VirtualService]], services: Iterable[str]
) -> dict[str, tuple[str, Named[VirtualService]] | None]:
    """For each service the most specific host in a rule, and the first rule with that host."""
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
    others: Collection[str],
    *,
    takes_unknown: bool,
) -> Iterator[str]:
    """The hosts of a rule at this port: services that it names, and those whose most specific
    host is its wildcard. Names of no service count beside such a service, or on port 80. A service
    in ``others``, whose port is not HTTP, gets none (Istio: separateVSHostsAndServices)."""
    services, unknown = [], []
    for host in rule.spec.hosts:
        name = _host_name(host, rule)
        if name in nearest_hosts:
            services.append(name)
        elif name in others:
            continue
        elif is_wildcard(name) and any(covers(name, s) for s in (*nearest_hosts, *others)):
            services += [s for s, nearest in nearest_hosts.items() if nearest == (name, rule)]
        elif name != "*":
            unknown.append(name)
    yield from services
    if services or takes_unknown:
        yield from unknown


def _host_name(host: str, rule: Named[VirtualService]) -> str:
    """A rule's host as a full name in lower case."""
    return fqdn(host, rule.namespace).lower()


def build_block_all(view: ProxyView, *, tunnels: bool = False) -> Json:
    """Refuses with 502 and an empty body, CONNECT included where the listener opens tunnels."""
    matches: list[Json] = [{"prefix": "/"}]
    if tunnels:
        matches.insert(0, {"connect_matcher": {}})
    return {
        "name": BLOCK_ALL,
        "domains": ["*"],
        "routes": [{"name": BLOCK_ALL, "match": m, **REFUSE} for m in matches],
        "include_request_attempt_count": counts_attempts(view.mesh),
    }
