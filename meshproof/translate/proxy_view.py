"""What one proxy sees of the mesh: hosts, rules in Istio's order, and the policy of each host.

Istio's default SidecarScope and PushContext (pilot/pkg/model): exportTo is honoured, the rules
of a proxy's own namespace come first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from meshproof.istio_names import CLUSTER_DOMAIN, ROOT_NAMESPACE
from meshproof.model.destination_rule import (
    ConnectionPool,
    DestinationRule,
    PortTrafficPolicy,
    Subset,
    TrafficPolicy,
)
from meshproof.model.virtual_service import VirtualService
from meshproof.model.virtual_service_l4 import L4MatchAttributes
from meshproof.model.virtual_service_route import HTTPMatchRequest
from meshproof.translate.delegates import resolve_delegates
from meshproof.translate.host_names import covers, fqdn, is_wildcard
from meshproof.translate.registry import Host, has_labels, hosts
from meshproof.translate.sidecar_scope import build_scope, governing_sidecar
from meshproof.translate.visibility import is_private, is_public, is_visible
from meshproof.translate.world import Named, Outside, Proxy, World


@dataclass(frozen=True, slots=True)
class HostPolicy:
    """DestinationRules of one host in one namespace, merged."""

    host: str
    namespace: str = ""
    export_to: frozenset[str] = frozenset()
    selector: Mapping[str, str] | None = None
    """Labels of the clients that it is for; None for all."""
    policy: TrafficPolicy | None = None
    subsets: tuple[Subset, ...] = ()

    def policy_of(self, subset: str, port: int) -> TrafficPolicy:
        """The policy in force for a port and a subset (``""``: the host).

        A port's own settings stand for the whole policy (what they leave out is the default), those
        of a subset too; a subset's policy overrides block by block.
        """
        top = _at_port(self.policy, port)
        own = next((s.traffic_policy for s in self.subsets if s.name == subset), None)
        if own is None:
            return top
        over = _at_port(own, port)
        whole = _OF_PORTS if over is not own else frozenset()
        blocks: dict[str, Any] = {
            n: getattr(over, n) or (None if n in whole else getattr(top, n)) for n in _BLOCKS
        }
        return TrafficPolicy.model_construct(None, **blocks)

    def is_seen(self, namespace: str) -> bool:
        return is_visible(self.export_to, self.namespace, namespace)


_BLOCKS = tuple(name for name in TrafficPolicy.model_fields if name != "port_level_settings")
_OF_PORTS = frozenset(PortTrafficPolicy.model_fields)
_NO_RULE: Final = HostPolicy("")


def _at_port(policy: TrafficPolicy | None, port: int) -> TrafficPolicy:
    """Istio: MergeTrafficPolicy's port level, which never inherits."""
    if policy is None:
        return TrafficPolicy()
    for own in policy.port_level_settings:
        if own.port.number == port:
            blocks: dict[str, Any] = {name: getattr(own, name, None) for name in _BLOCKS}
            return TrafficPolicy.model_construct(None, **blocks)
    return policy


class Index:
    """What all views of one world share; built once a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.hosts = hosts(world)
        self.rules = _merged(world.destination_rules)
        self.virtual_services = resolve_delegates(world.virtual_services)


_latest: Index | None = None


def index(world: World) -> Index:
    """The index of ``world``: the newest one is kept, since all proxies ask for the same."""
    global _latest  # noqa: PLW0603 - a cache of one pure value; a lost race costs time only
    found = _latest
    if found is None or found.world is not world:
        found = _latest = Index(world)
    return found


def _merged(rules: Iterable[Named[DestinationRule]]) -> Mapping[str, tuple[HostPolicy, ...]]:
    """Rules by namespace. Those of one host, visibility and selector merge: the first policy, all
    new subsets."""
    found: dict[str, dict[object, HostPolicy]] = {}
    for rule in rules:
        spec = rule.spec
        host, seen = fqdn(spec.host, rule.namespace), frozenset(spec.export_to or ["*"])
        selector = spec.workload_selector.match_labels if spec.workload_selector else None
        key = (host, seen, None if selector is None else tuple(sorted(selector.items())))
        place = found.setdefault(rule.namespace, {})
        first = place.get(key, HostPolicy(host, rule.namespace, seen, selector))
        known = {s.name for s in first.subsets}
        added = tuple(s for s in spec.subsets if s.name not in known)
        policy = first.policy or spec.traffic_policy
        place[key] = replace(first, policy=policy, subsets=first.subsets + added)
    return {namespace: tuple(place.values()) for namespace, place in found.items()}


def _best(rules: Iterable[HostPolicy], host: str) -> list[HostPolicy]:
    """The rules whose host is nearest: the very name, else the longest wildcard."""
    fitting = [r for r in rules if covers(r.host, host)]
    if not fitting:
        return []
    nearest = (
        host if any(r.host == host for r in fitting) else max((r.host for r in fitting), key=len)
    )
    return [r for r in fitting if r.host == nearest]


class ProxyView:
    """The mesh as seen by ``proxy``."""

    def __init__(self, world: World, proxy: Proxy) -> None:
        self.proxy = proxy
        self._index = index(world)
        self._scope = build_scope(world.sidecars, proxy)
        self.known = self._visible()
        seen = ((n, self._scope.visible_part(h)) for n, h in self.known.items())
        self.hosts = {n: h for n, h in seen if h is not None}
        """What may be asked for, by name."""
        self._found: dict[str, HostPolicy] = {}
        self._aliases: dict[str, list[str]] = {}
        for host in self.hosts.values():
            if host.alias_of:
                self._aliases.setdefault(self.concrete(host.name), []).append(host.name)

    def _visible(self) -> dict[str, Host]:
        """By name; of one name in several namespaces the proxy's own wins, then the first."""
        own: list[Host] = []
        others: list[Host] = []
        for host in self._index.hosts:
            if is_visible(host.export_to, host.namespace, self.proxy.namespace):
                (own if host.namespace == self.proxy.namespace else others).append(host)
        seen: dict[str, Host] = {}
        for host in (*own, *others):
            seen.setdefault(host.name, host)
        return seen

    def inbound_pool(self) -> ConnectionPool | None:
        """What the proxy's Sidecar says of connections to its own app."""
        return self._scope.inbound_pool

    def aliases(self, name: str) -> list[str]:
        """Other names of a host: Services of type ExternalName."""
        return self._aliases.get(name, [])

    def concrete(self, name: str) -> str:
        """The host behind a name, itself unless it is an alias."""
        passed = {name}
        while (host := self.known.get(name)) is not None and host.alias_of:
            name = host.alias_of
            if name in passed:
                break
            passed.add(name)
        return name

    def virtual_services(self) -> list[Named[VirtualService]]:
        """Those that the proxy's namespace may see: private ones, those exported to it, public
        ones; in each part its own namespace's HTTPRoutes first (Istio: SelectVirtualServices)."""
        own = self.proxy.namespace

        def place(rule: Named[VirtualService]) -> tuple[int, bool]:
            export_to = rule.spec.export_to
            part = 2 if is_public(export_to) else 0 if is_private(export_to) else 1
            return part, not (rule.gateway and rule.namespace == own)

        seen = (
            rule
            for rule in self._index.virtual_services
            if is_visible(rule.spec.export_to, rule.namespace, own)
            and self._scope.imports_rule(rule.spec.hosts, rule.namespace)
        )
        return sorted(seen, key=place)

    def destinations(self) -> dict[str, Host]:
        """What may be sent to: what may be asked for, and where imported rules lead, though their
        Sidecar does not import it (Istio adds those services to the scope)."""
        if self.hosts == self.known:
            return self.hosts
        led = {self.concrete(n) for rule in self.virtual_services() for n in _led_to(rule)}
        return {
            n: h if n in led else self.hosts[n]
            for n, h in self.known.items()
            if n in self.hosts or n in led
        }

    def passthrough(self) -> tuple[Outside, ...]:
        """The declared hosts that are reached without a rule: all under ALLOW_ANY, else none."""
        return self._index.world.outside if self._scope.allow_any else ()

    def rule(self, host: str) -> HostPolicy:
        """The DestinationRule in force: of the proxy's, the host's, the root namespace."""
        if host not in self._found:
            self._found[host] = self._chosen(self._lookup(host))
        return self._found[host]

    def _lookup(self, host: str) -> list[HostPolicy]:
        rules, own = self._index.rules, self.proxy.namespace
        mine = tuple(r for r in rules.get(own, ()) if r.is_seen(own))
        if own == ROOT_NAMESPACE:
            mine = tuple(r for r in mine if not is_public(r.export_to))
        found = _best(mine, host)
        known = self.known.get(host)
        for namespace in (known.namespace if known else "", ROOT_NAMESPACE):
            seen = (r for r in rules.get(namespace, ()) if r.is_seen(own))
            found = found or _best(seen, host)
        return found

    def _chosen(self, rules: Iterable[HostPolicy]) -> HostPolicy:
        """One with a selector for this very client, else the last for all."""
        for_all = _NO_RULE
        for rule in rules:
            if rule.selector is None:
                for_all = rule
            elif rule.namespace == self.proxy.namespace and has_labels(
                self.proxy.labels, rule.selector
            ):
                return rule
        return for_all

    def policy(self, host: str, subset: str = "", port: int = 0) -> TrafficPolicy:
        return self.rule(host).policy_of(subset, port)


def _led_to(rule: Named[VirtualService]) -> Iterator[str]:
    for http in rule.spec.http:
        found = [entry.destination for entry in http.route]
        found += [entry.destination for entry in http.mirrors]
        found += [http.mirror] if http.mirror else []
        yield from (fqdn(destination.host, rule.namespace) for destination in found)
    for route in (*rule.spec.tls, *rule.spec.tcp):
        yield from (fqdn(entry.destination.host, rule.namespace) for entry in route.route)


def _matches(spec: VirtualService) -> Iterator[HTTPMatchRequest | L4MatchAttributes]:
    for http in spec.http:
        yield from http.match
    for tls in spec.tls:
        yield from tls.match
    for tcp in spec.tcp:
        yield from tcp.match


def outbound_scope(world: World, proxy: Proxy) -> tuple[object, ...]:
    """What of ``proxy`` its outbound configuration depends on: equal scopes, equal configuration.

    Its kind and namespace, its Sidecar, and which sourceLabels and workloadSelectors of the rules
    it carries; of a gateway all labels, by which Gateways select it.
    """
    if proxy.kind == "gateway":
        return (proxy.kind, proxy.namespace, tuple(sorted(proxy.labels.items())))
    asked = {
        tuple(sorted(match.source_labels.items()))
        for rule in world.virtual_services
        for match in _matches(rule.spec)
        if match.source_labels
    }
    asked |= {
        tuple(sorted(rule.spec.workload_selector.match_labels.items()))
        for rule in world.destination_rules
        if rule.spec.workload_selector
    }
    carried = tuple(sorted(pairs for pairs in asked if has_labels(proxy.labels, dict(pairs))))
    sidecar = governing_sidecar(world.sidecars, proxy)
    return (proxy.kind, proxy.namespace, carried, sidecar and (sidecar.namespace, sidecar.name))


def proxy_names(host: str, namespace: str) -> tuple[str, ...]:
    """The other names of a Service's fqdn as seen from ``namespace``, nearest first.

    ``svcb`` (own namespace only), ``svcb.ns.svc``, ``svcb.ns``; none for other hosts. A numbered
    pod's name has a dot of its own: ``db-0.db``.
    """
    service = host.removesuffix(f".{CLUSTER_DOMAIN}")
    if service == host or "." not in service or is_wildcard(host):
        return ()
    name, _, where = service.rpartition(".")
    shortest = (name,) if where == namespace else ()
    return (*shortest, f"{name}.{where}.svc", f"{name}.{where}")
