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
from meshproof.translate.routes import MESH, RouteContext, default_routes, gateway_keys, rule_routes
from meshproof.translate.tunnels import REFUSE, connect, opaque, rules_of_bytes
from meshproof.translate.world import Named

_BODY_LIMIT = 1048576
_DEFAULT_PORT = 80


def outbound_routes(view: ProxyView) -> Json:
    """The whole table: virtual hosts by name, the refusal last."""
    table = _Table(view)
    ports = sorted({p.port for h in view.hosts.values() for p in h.ports} | {_DEFAULT_PORT})
    for port in ports:
        for name, routes in _http_hosts(view, port):
            table.add(name, port, [connect({"cluster": CONNECT_LOOP}), *routes])
    rules = rules_of_bytes(view)
    for host in view.hosts.values():
        for p in host.ports if not host.alias_of else ():
            if p.protocol != "HTTP":
                table.add(host.name, p.port, opaque(view, rules, host, p))
    for name, number in passthrough.open_ports(view.passthrough()):
        table.add(name, number, passthrough.build_routes(name, number))
    return route_configuration(OUTBOUND, [*table.sorted(), _block_all()])


def route_configuration(name: str, virtual_hosts: list[Json]) -> Json:
    """Common fields: a route may name a cluster that does not exist (503 NC, as in Istio)."""
    return {
        "name": name,
        "validate_clusters": False,
        "max_direct_response_body_size_bytes": _BODY_LIMIT,
        "virtual_hosts": virtual_hosts,
    }


class _Table:
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
        for domain in self._names(name, port):
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

    def _names(self, name: str, port: int) -> Iterator[str]:
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
            names += self._short(name)
            names += [a for a in host.addresses if "/" not in a]
            for alias in self._view.aliases(name):
                names += [alias, f"{alias}.", *self._short(alias)]
        for text in names:
            if port == _DEFAULT_PORT and text != "*":  # "*" alone is the refusal's
                yield text
            yield f"{text}:{port}"

    def _short(self, name: str) -> list[str]:
        short = proxy_names(name, self._view.proxy.namespace)
        return [s for s in short if s not in self._view.hosts]

    def sorted(self) -> list[Json]:
        return [self._hosts[key] for key in sorted(self._hosts)]


def _http_hosts(view: ProxyView, port: int) -> Iterator[tuple[str, list[Json]]]:
    """Hosts with their routes: those of VirtualServices first, in the rules' order."""
    known = [h.name for h in view.hosts.values() if _speaks_http(h, port)]
    rules = [r for r in view.virtual_services() if MESH in gateway_keys(r)]
    patterns = _patterns(rules, known)
    for rule in rules:
        names = list(_rule_hosts(rule, patterns, port))
        if rule.gateway:
            names = [n for n in names if _takes_part(view, rule, n)]
        routes = rule_routes(view, rule, RouteContext(port)) if names else []
        if routes:
            yield from ((name, routes) for name in names)
    for name in known:
        if view.hosts[name].alias_of:
            continue  # a name of the other host's own routes
        yield name, list(default_routes(view, name, port))


def _takes_part(view: ProxyView, rule: Named[VirtualService], host: str) -> bool:
    """Whether routes of HTTPRoutes are for this sidecar: those of the Service's own namespace are
    for all (producer), others for the sidecars of their own (consumer)."""
    known = view.hosts.get(host)
    return known is not None and rule.namespace in (known.namespace, view.proxy.namespace)


def _speaks_http(host: Host, port: int) -> bool:
    found = host.port(port)
    return found is not None and found.protocol == "HTTP"


def _patterns(
    rules: Iterable[Named[VirtualService]], known: Iterable[str]
) -> dict[str, tuple[str, Named[VirtualService]] | None]:
    """For each service the nearest written host, name before wildcard, and its first rule."""
    first: dict[str, Named[VirtualService]] = {}
    for rule in rules:
        for written in rule.spec.hosts:
            first.setdefault(_host_name(written, rule), rule)
    wildcards = sorted((w for w in first if is_wildcard(w)), key=len, reverse=True)
    nearest: dict[str, tuple[str, Named[VirtualService]] | None] = {}
    for name in known:
        found = name if name in first else next((w for w in wildcards if covers(w, name)), None)
        nearest[name] = None if found is None else (found, first[found])
    return nearest


def _rule_hosts(
    rule: Named[VirtualService],
    patterns: dict[str, tuple[str, Named[VirtualService]] | None],
    port: int,
) -> Iterator[str]:
    """The hosts of a rule at this port: services by name; those to which its wildcard is the
    nearest host of the nearest rule. What is no service here stands beside one, or on port 80."""
    services, others = [], []
    for written in rule.spec.hosts:
        name = _host_name(written, rule)
        if name in patterns:
            services.append(name)
        elif is_wildcard(name) and any(covers(name, service) for service in patterns):
            services += [s for s, nearest in patterns.items() if nearest == (name, rule)]
        elif name != "*":
            others.append(name)
    yield from services
    if services or port == _DEFAULT_PORT:
        yield from others


def _host_name(written: str, rule: Named[VirtualService]) -> str:
    """A rule's host in full; upper and lower case are the same."""
    return fqdn(written, rule.namespace).lower()


def _block_all() -> Json:
    """Refusal is 502 with an empty body, CONNECT included."""
    matches: list[Json] = [{"connect_matcher": {}}, {"prefix": "/"}]
    return {
        "name": BLOCK_ALL,
        "domains": ["*"],
        "routes": [{"name": BLOCK_ALL, "match": m, **REFUSE} for m in matches],
        "include_request_attempt_count": True,
    }
