"""The mesh as one proxy sees it: its hosts, its rules in Istio's order, the policy of each host.

Istio's SidecarScope and PushContext (pilot/pkg/model): exportTo is honoured, and the rules of the
proxy's own namespace come first.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from functools import cached_property

from meshproof.istio_names import INGRESS_GATEWAY, ISTIO_NAMESPACE, service_host
from meshproof.memo import Memo
from meshproof.model.destination_rule import TrafficPolicy
from meshproof.model.virtual_service import VirtualService
from meshproof.translate.certificates import Certificates
from meshproof.translate.delegates import resolve_delegates
from meshproof.translate.destination_rules import NO_RULE, HostPolicy, merge_rules, most_specific
from meshproof.translate.host import Host
from meshproof.translate.host_names import fqdn
from meshproof.translate.proto import Json
from meshproof.translate.reach import reachable_world
from meshproof.translate.registry import hosts
from meshproof.translate.sidecar_scope import build_scope, governing_sidecar
from meshproof.translate.visibility import is_private, is_public, is_visible
from meshproof.translate.workload_selection import has_labels
from meshproof.translate.world import Named, Outside, Proxy, World, mesh_of, select_fields

HOST_INPUTS = (
    *("services", "replicas", "gateway_replicas", "outside", "service_entries", "workload_entries"),
    *("peer_authentications", "pods", "addresses", "mesh", "manual_endpoints"),
)
"""Fields of a world that its hosts depend on."""


class _Memos:
    """What is kept of the newest index of one kind of proxy."""

    def __init__(self) -> None:
        self.hosts: Memo[tuple[Host, ...]] = Memo()
        self.destination_rules: Memo[Mapping[str, tuple[HostPolicy, ...]]] = Memo()
        self.virtual_services: Memo[tuple[Named[VirtualService], ...]] = Memo()
        self.routes: Memo[_RuleRoutes] = Memo()


_RuleRoutes = dict[Hashable, tuple[Named[VirtualService], list[Json]]]
"""By proxy and entry point: a rule, and its routes."""


class _Index:
    """What all views of one world share; built once for each world, from the parts of the last one
    that are still the same."""

    def __init__(self, source: World, proxy: Proxy, memos: _Memos) -> None:
        self.source = source
        self.world = world = reachable_world(source, proxy)
        self.hosts = memos.hosts.get(select_fields(source, HOST_INPUTS), lambda: hosts(world))
        self.destination_rules = memos.destination_rules.get(
            (source.destination_rules,), lambda: merge_rules(source.destination_rules)
        )
        self.virtual_services = memos.virtual_services.get(
            (source.virtual_services,), lambda: resolve_delegates(source.virtual_services)
        )
        inputs = (*select_fields(source, HOST_INPUTS), source.destination_rules, source.sidecars)
        self.routes = memos.routes.get(inputs, dict)


_latest: dict[str, _Index] = {}
_memos: dict[str, _Memos] = {}


def _index(world: World, proxy: Proxy) -> _Index:
    """The index of ``world`` for proxies of this kind. Only the newest is kept: all proxies of a
    change share one world. A lost race costs time only."""
    index = _latest.get(proxy.kind)
    if index is None or index.source is not world:
        index = _latest[proxy.kind] = _Index(world, proxy, _memos.setdefault(proxy.kind, _Memos()))
    return index


class ProxyView:
    """The mesh as ``proxy`` sees it.

    ``visible_hosts`` are exported to its namespace; ``hosts`` are those that its Sidecar imports,
    which its app may call. Both by name.
    """

    def __init__(self, world: World, proxy: Proxy) -> None:
        self.proxy = proxy
        self._index = _index(world, proxy)
        self.world = self._index.world
        """With addresses that the proxy can connect to."""
        self.mesh = mesh_of(world, proxy)
        self.sidecar = governing_sidecar(world.sidecars, proxy)
        self._scope = build_scope(self.sidecar, proxy, world.mesh.outbound_traffic_policy)
        self.visible_hosts = self._visible_hosts()
        imported = ((n, self._scope.visible_part(h)) for n, h in self.visible_hosts.items())
        self.hosts = {n: h for n, h in imported if h is not None}
        self._rules: dict[str, HostPolicy] = {}
        self._aliases: dict[str, list[str]] = {}
        for host in self.hosts.values():
            if host.alias_of:
                self._aliases.setdefault(self.resolve_alias(host.name), []).append(host.name)

    def _visible_hosts(self) -> dict[str, Host]:
        """By name; of one name in several namespaces the proxy's own wins, then the first."""
        namespace = self.proxy.namespace
        visible = [h for h in self._index.hosts if is_visible(h.export_to, h.namespace, namespace)]
        by_name: dict[str, Host] = {}
        for host in sorted(visible, key=lambda h: h.namespace != namespace):
            by_name.setdefault(host.name, host)
        return by_name

    @property
    def registry(self) -> tuple[Host, ...]:
        """Every host, whoever sees it."""
        return self._index.hosts

    def aliases(self, name: str) -> list[str]:
        """Other names of a host: Services of type ExternalName."""
        return self._aliases.get(name, [])

    def resolve_alias(self, name: str) -> str:
        """The host that an alias stands for; any other name itself."""
        visited = {name}
        while (host := self.visible_hosts.get(name)) is not None and host.alias_of:
            name = host.alias_of
            if name in visited:
                break
            visited.add(name)
        return name

    def virtual_services(self) -> list[Named[VirtualService]]:
        """Those that the proxy's namespace may see: private ones, those exported to it, public
        ones; of each, HTTPRoutes of its own namespace first (Istio: SelectVirtualServices)."""
        namespace = self.proxy.namespace

        def order(rule: Named[VirtualService]) -> tuple[int, bool]:
            export_to = rule.spec.export_to
            group = 2 if is_public(export_to) else 0 if is_private(export_to) else 1
            return group, not (rule.gateway and rule.namespace == namespace)

        visible = (
            rule
            for rule in self._index.virtual_services
            if is_visible(rule.spec.export_to, rule.namespace, namespace)
            and self._scope.imports_rule(rule.spec.hosts, rule.namespace)
        )
        return sorted(visible, key=order)

    def routes_of(
        self, rule: Named[VirtualService], entry: Hashable, build: Callable[[], list[Json]]
    ) -> list[Json]:
        """The routes of ``rule`` at an entry point: what ``build`` returns, or returned while all
        that routes depend on was the same. Nobody may change them."""
        key = (self.proxy.namespace, self._labels, rule.namespace, rule.name, entry)
        kept = self._index.routes.get(key)
        if kept is None or kept[0] is not rule:
            kept = self._index.routes[key] = (rule, build())
        return kept[1]

    @cached_property
    def _labels(self) -> frozenset[tuple[str, str]]:
        return frozenset(self.proxy.labels.items())

    def knows_the_gateway(self) -> bool:
        """Whether the ingress gateway's Service, which has port 80, is imported."""
        host = service_host(INGRESS_GATEWAY, ISTIO_NAMESPACE)
        return self._scope.imports_host(host, ISTIO_NAMESPACE, 80)

    def destinations(self) -> dict[str, Host]:
        """Every host that a request may be sent to: those that the app may call, and destinations
        of imported rules even if the Sidecar does not import them (Istio adds those services to
        the scope)."""
        if self.hosts == self.visible_hosts:
            return self.hosts
        targets = {
            self.resolve_alias(name) for r in self.virtual_services() for name in _destinations(r)
        }
        return {
            name: host if name in targets else self.hosts[name]
            for name, host in self.visible_hosts.items()
            if name in self.hosts or name in targets
        }

    @cached_property
    def certificates(self) -> Certificates:
        """What its Envoy can read."""
        return Certificates(self._index.world, self.proxy)

    @property
    def allows_any(self) -> bool:
        """Whether its app may call what no rule opens (ALLOW_ANY)."""
        return self._scope.allow_any

    def passthrough_hosts(self) -> tuple[Outside, ...]:
        """The declared hosts that need no rule: all under ALLOW_ANY, unless there is an egress
        proxy; else none."""
        is_open = self._scope.allow_any and not self._scope.egress_proxy
        return self._index.world.outside if is_open else ()

    @property
    def egress_proxy(self) -> str:
        """The cluster that takes what is for no known host; empty if none does."""
        return self._scope.egress_proxy

    def destination_rule(self, host: str) -> HostPolicy:
        """The DestinationRule in force: of the proxy's, the host's, or the root namespace."""
        if host not in self._rules:
            self._rules[host] = self._choose_rule(self._candidate_rules(host))
        return self._rules[host]

    def _candidate_rules(self, host: str) -> list[HostPolicy]:
        by_namespace, namespace = self._index.destination_rules, self.proxy.namespace
        own = [r for r in by_namespace.get(namespace, ()) if r.is_visible_to(namespace)]
        if namespace == self.mesh.root_namespace:
            own = [r for r in own if not is_public(r.export_to)]
        if rules := most_specific(own, host):
            return rules
        visible_host = self.visible_hosts.get(host)
        of_host = visible_host.namespace if visible_host else ""
        for other in (of_host, self.mesh.root_namespace):
            visible = (r for r in by_namespace.get(other, ()) if r.is_visible_to(namespace))
            if rules := most_specific(visible, host):
                return rules
        return []

    def _choose_rule(self, rules: Iterable[HostPolicy]) -> HostPolicy:
        """A rule that selects this proxy's workload, else the last one for all workloads."""
        for_all = NO_RULE
        for rule in rules:
            if rule.selector is None:
                for_all = rule
            elif rule.namespace == self.proxy.namespace and has_labels(
                self.proxy.labels, rule.selector
            ):
                return rule
        return for_all

    def policy(self, host: str, subset: str = "", port: int = 0) -> TrafficPolicy:
        """The traffic policy in force; ``""`` for no subset."""
        return self.destination_rule(host).policy_of(subset, port)


def _destinations(rule: Named[VirtualService]) -> Iterator[str]:
    for http in rule.spec.http:
        destinations = [entry.destination for entry in http.route]
        destinations += [destination for destination, _ in http.all_mirrors()]
        yield from (fqdn(destination.host, rule.namespace) for destination in destinations)
    for route in (*rule.spec.tls, *rule.spec.tcp):
        yield from (fqdn(entry.destination.host, rule.namespace) for entry in route.route)
