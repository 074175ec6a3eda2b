"""Which endpoints a client prefers by their place: groups of endpoints with priorities and weights.

Istio: pilot/pkg/networking/core/loadbalancer, and the grouping of pilot/pkg/xds/endpoints.
Failing over needs outlierDetection, without which Envoy never gives up a priority; a Service's
trafficDistribution does without.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from meshproof.model.destination_rule import (
    LocalityDistribute,
    LocalityFailover,
    LocalityLoadBalancerSetting,
    PortTrafficPolicy,
    TrafficPolicy,
)
from meshproof.model.locality import (
    NETWORK,
    NODE,
    NOWHERE,
    REGION,
    SUBZONE,
    ZONE,
    Locality,
    locality_of_proxy,
)
from meshproof.model.mesh_config import MeshConfig
from meshproof.translate.host import Endpoint, Host
from meshproof.translate.proto import Json
from meshproof.translate.world import World

_FAILOVERS = 5
"""Distances of ``_fail_over``, within each priority that was there before."""
_NEAREST = {
    "zone": [NETWORK, REGION, ZONE],
    "node": [NETWORK, REGION, ZONE, SUBZONE, NODE],
}


@dataclass(frozen=True, slots=True)
class Group:
    """Endpoints of one locality and one priority, 0 first. ``weight`` divides the requests among
    the localities of a priority, where the cluster is ``weighted``."""

    locality: Locality
    endpoints: tuple[Endpoint, ...]
    weight: int
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Balancing:
    """How one client chooses among the localities of one cluster."""

    locality: Locality = NOWHERE
    labels: Mapping[str, str] | None = None
    """Of the client, those of its place included."""
    setting: LocalityLoadBalancerSetting | None = None
    fails_over: bool = False
    by_labels: bool = True
    """False for a cluster of DNS names, where Istio ignores failoverPriority."""

    @property
    def weighted(self) -> bool:
        """Whether the weights of localities count (Envoy: locality_weighted_lb_config)."""
        setting = self.setting
        if setting is None:
            return False
        priorities = setting.failover or setting.failover_priority
        return bool(setting.distribute or (self.fails_over and priorities))

    def group(self, endpoints: Iterable[Endpoint]) -> list[Group]:
        """The endpoints by locality, each group with its priority and weight."""
        by_locality: dict[Locality, list[Endpoint]] = {}
        for endpoint in endpoints:
            by_locality.setdefault(endpoint.locality, []).append(endpoint)
        groups = [_group(place, by_locality[place]) for place in sorted(by_locality)]
        setting = self.setting
        if setting is None:
            return groups
        if setting.distribute:
            return _distribute(groups, self.locality, setting.distribute)
        if not self.fails_over:
            return groups
        if not setting.failover_priority:
            return _fail_over(groups, self.locality, setting.failover)
        if self.by_labels:
            groups = _prefer(groups, self.labels or {}, setting.failover_priority)
        return _fail_over(groups, self.locality, setting.failover) if setting.failover else groups


PLAIN = Balancing()
"""Of a client that has no preference."""


def balancing_of(
    host: Host, policy: TrafficPolicy, labels: Mapping[str, str], mesh: MeshConfig
) -> Balancing:
    """For one client, by its labels: the DestinationRule's setting wins over the Service's
    trafficDistribution, and that over the mesh's, which is on by default (Istio:
    GetLocalityLbSetting)."""
    locality = locality_of_proxy(labels)
    setting = policy.load_balancer.locality_lb_setting if policy.load_balancer else None
    forced = setting is None and bool(host.traffic_distribution)
    if forced:
        nearest = _NEAREST[host.traffic_distribution]
        setting = LocalityLoadBalancerSetting.model_construct(failover_priority=nearest)
    elif setting is None:
        setting = mesh.locality_lb_setting or LocalityLoadBalancerSetting()
    if setting is None or setting.enabled is False:
        return PLAIN
    return Balancing(
        locality,
        {**labels, **locality.labels},
        setting,
        forced or policy.outlier_detection is not None,
        by_labels=host.resolution != "DNS",
    )


def preferring_labels(world: World) -> tuple[str, ...]:
    """The labels of clients, beside those of their place, that decide what they prefer."""
    balancers = [
        policy.load_balancer
        for rule in world.destination_rules
        for whole in (rule.spec.traffic_policy, *(s.traffic_policy for s in rule.spec.subsets))
        if whole is not None
        for policy in _policies(whole)
    ]
    settings = [balancer.locality_lb_setting for balancer in balancers if balancer]
    settings.append(world.mesh.locality_lb_setting)
    named = {name for s in settings if s is not None for name in s.failover_priority}
    return tuple(sorted({NETWORK, NODE, *(name for name in named if "=" not in name)}))


def _policies(whole: TrafficPolicy) -> Iterator[TrafficPolicy | PortTrafficPolicy]:
    yield whole
    yield from whole.port_level_settings


def describe_group(group: Group, members: Sequence[Json], *, weighted: bool) -> Json:
    """A LocalityLbEndpoints. A priority of 0 and a locality that nobody named are left out."""
    result: Json = {"lb_endpoints": list(members)}
    if group.locality != NOWHERE:
        region, zone, subzone = group.locality
        result["locality"] = {"region": region, "zone": zone, "sub_zone": subzone}
    if weighted:
        result["load_balancing_weight"] = group.weight
    if group.priority:
        result["priority"] = group.priority
    return result


def _group(locality: Locality, endpoints: Sequence[Endpoint], priority: int = 0) -> Group:
    return Group(locality, tuple(endpoints), sum(max(e.weight, 1) for e in endpoints), priority)


def _distribute(
    groups: Sequence[Group], client: Locality, rules: Iterable[LocalityDistribute]
) -> list[Group]:
    """The weights of the first rule for the client's place; places that it does not name get
    nothing. Where a weight is for several places, they divide it as before (Istio:
    applyLocalityWeights)."""
    rule = next((rule for rule in rules if client.matches(rule.from_)), None)
    if rule is None:
        return list(groups)
    left, chosen = dict(enumerate(groups)), []
    for pattern, weight in rule.to.items():
        matched = {i: g for i, g in left.items() if g.locality.matches(pattern)}
        total = sum(group.weight for group in matched.values())
        for index, group in matched.items():
            share = math.ceil(group.weight * weight / total)
            chosen.append((index, replace(group, weight=share) if share else group))
            del left[index]
    return [group for _, group in sorted(chosen, key=lambda pair: pair[0])]


def _fail_over(
    groups: Sequence[Group], client: Locality, rules: Sequence[LocalityFailover]
) -> list[Group]:
    """The nearest first; of other regions, first that which a rule names (Istio:
    applyLocalityFailover)."""
    rule = next((rule for rule in rules if rule.from_ == client.region), None)

    def distance(group: Group) -> int:
        steps = client.distance(group.locality)
        return 4 if steps == 3 and rule and group.locality.region != rule.to else steps

    return _renumber([replace(g, priority=g.priority * _FAILOVERS + distance(g)) for g in groups])


def _prefer(
    groups: Iterable[Group], client: Mapping[str, str], labels: Sequence[str]
) -> list[Group]:
    """Endpoints with all of the client's labels first, then those without the last, and so on;
    ``NAME=VALUE`` stands for a label that the client need not have (Istio:
    applyFailoverPriorities)."""
    wanted = [label.split("=") for label in labels]

    def priority(endpoint: Endpoint) -> int:
        own = {**endpoint.labels, **endpoint.locality.labels}
        for index, (name, *value) in enumerate(wanted):
            expected = value[0] if len(value) == 1 else client.get(name, "")
            if own.get(name, "") != expected:
                return len(wanted) - index
        return 0

    parts = []
    for group in groups:
        by_priority: dict[int, list[Endpoint]] = {}
        for endpoint in group.endpoints:
            by_priority.setdefault(priority(endpoint), []).append(endpoint)
        parts += [_group(group.locality, by_priority[p], p) for p in sorted(by_priority)]
    return _renumber(parts)


def _renumber(groups: Sequence[Group]) -> list[Group]:
    """Priorities without gaps, as Envoy wants them."""
    ranks = {p: rank for rank, p in enumerate(sorted({g.priority for g in groups}))}
    return [replace(group, priority=ranks[group.priority]) for group in groups]
