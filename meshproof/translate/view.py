"""What one proxy sees of the mesh: hosts, rules in Istio's order, and the policy of each host.

Istio's default SidecarScope and PushContext (pilot/pkg/model): exportTo is honoured, the rules
of a proxy's own namespace come first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from meshproof.model.istio import DestinationRule, Subset, TrafficPolicy, VirtualService
from meshproof.translate.names import covers, fqdn, is_wildcard
from meshproof.translate.registry import Host, carries, hosts, is_private
from meshproof.translate.world import ROOT_NAMESPACE, Named, Proxy, World


@dataclass(frozen=True, slots=True)
class Rule:
    """DestinationRules of one host in one namespace, merged."""

    host: str
    private: bool
    policy: TrafficPolicy | None
    subsets: tuple[Subset, ...]

    def policy_of(self, subset: str) -> TrafficPolicy:
        """The policy in force for a subset (``""``: the host): it overrides block by block."""
        top = self.policy or TrafficPolicy()
        own = next((s.traffic_policy for s in self.subsets if s.name == subset), None)
        if own is None:
            return top
        return TrafficPolicy.model_construct(
            load_balancer=own.load_balancer or top.load_balancer,
            connection_pool=own.connection_pool or top.connection_pool,
            outlier_detection=own.outlier_detection or top.outlier_detection,
        )


_NO_RULE: Final = Rule("", False, None, ())


class Index:
    """What all views of one world share; built once a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.hosts = hosts(world)
        self.rules = _merged(world.destination_rules)


_latest: Index | None = None


def index(world: World) -> Index:
    """The index of ``world``: the newest one is kept, since all proxies ask for the same."""
    global _latest  # noqa: PLW0603 - a cache of one pure value; a lost race costs time only
    found = _latest
    if found is None or found.world is not world:
        found = _latest = Index(world)
    return found


def _merged(rules: Iterable[Named[DestinationRule]]) -> Mapping[str, tuple[Rule, ...]]:
    """Rules by namespace. Same host and visibility merge: the first policy, all new subsets."""
    found: dict[str, dict[tuple[str, bool], Rule]] = {}
    for rule in rules:
        spec = rule.spec
        key = (fqdn(spec.host, rule.namespace), is_private(spec.export_to))
        place = found.setdefault(rule.namespace, {})
        first = place.get(key, Rule(*key, policy=None, subsets=()))
        known = {s.name for s in first.subsets}
        added = tuple(s for s in spec.subsets if s.name not in known)
        policy = first.policy or spec.traffic_policy
        place[key] = Rule(*key, policy=policy, subsets=first.subsets + added)
    return {namespace: tuple(place.values()) for namespace, place in found.items()}


def _best(rules: Iterable[Rule], host: str) -> Rule | None:
    """The rule whose host is nearest: the very name, else the longest wildcard."""
    fitting = [r for r in rules if covers(r.host, host)]
    exact = next((r for r in fitting if r.host == host), None)
    return exact or max(fitting, key=lambda r: len(r.host), default=None)


class View:
    """The mesh as seen by ``proxy``."""

    def __init__(self, world: World, proxy: Proxy) -> None:
        self.proxy = proxy
        self._index = index(world)
        self.hosts = self._visible()
        self._found: dict[str, Rule] = {}

    def _visible(self) -> dict[str, Host]:
        """By name; of one name in several namespaces the proxy's own wins, then the first."""
        own, others = [], []
        for host in self._index.hosts:
            if host.namespace == self.proxy.namespace:
                own.append(host)
            elif not host.private:
                others.append(host)
        seen: dict[str, Host] = {}
        for host in (*own, *others):
            seen.setdefault(host.name, host)
        return seen

    def virtual_services(self) -> list[Named[VirtualService]]:
        """Those that the proxy's namespace may see, the private ones first."""
        own, public = [], []
        for rule in self._index.world.virtual_services:
            if not is_private(rule.spec.export_to):
                public.append(rule)
            elif rule.namespace == self.proxy.namespace:
                own.append(rule)
        return own + public

    def rule(self, host: str) -> Rule:
        """The DestinationRule in force: of the proxy's, the host's, the root namespace."""
        if host not in self._found:
            self._found[host] = self._lookup(host) or _NO_RULE
        return self._found[host]

    def _lookup(self, host: str) -> Rule | None:
        rules, own = self._index.rules, self.proxy.namespace
        mine = rules.get(own, ())
        if own == ROOT_NAMESPACE:
            mine = tuple(r for r in mine if r.private)
        found = _best(mine, host)
        known = self.hosts.get(host)
        for namespace in (known.namespace if known else "", ROOT_NAMESPACE):
            found = found or _best((r for r in rules.get(namespace, ()) if not r.private), host)
        return found

    def policy(self, host: str, subset: str = "") -> TrafficPolicy:
        return self.rule(host).policy_of(subset)


def scope(world: World, proxy: Proxy) -> tuple[object, ...]:
    """What of ``proxy`` its outbound configuration depends on: equal scopes, equal configuration.

    Its kind and namespace, and which sourceLabels of the rules it carries; of a gateway all
    labels, by which Gateways select it.
    """
    if proxy.kind == "gateway":
        return (proxy.kind, proxy.namespace, tuple(sorted(proxy.labels.items())))
    asked = {
        tuple(sorted(match.source_labels.items()))
        for rule in world.virtual_services
        for http in rule.spec.http
        for match in http.match
        if match.source_labels
    }
    carried = tuple(sorted(pairs for pairs in asked if carries(proxy.labels, dict(pairs))))
    return (proxy.kind, proxy.namespace, carried)


def proxy_names(host: str, namespace: str) -> tuple[str, ...]:
    """The other names of a Service's fqdn as seen from ``namespace``, nearest first.

    ``svcb`` (own namespace only), ``svcb.ns.svc``, ``svcb.ns``; none for other hosts.
    """
    parts = host.split(".")
    if len(parts) < 3 or parts[2] != "svc" or is_wildcard(host):
        return ()
    name, where = parts[0], parts[1]
    shortest = (name,) if where == namespace else ()
    return (*shortest, f"{name}.{where}.svc", f"{name}.{where}")
