"""The DestinationRules that may be about a replica's own Services: their connection pool is that of
the inbound side too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from meshproof.memo import Memo
from meshproof.model.destination_rule import DestinationRule
from meshproof.translate.host_names import covers, fqdn
from meshproof.translate.world import Named, Replica, World

_Rules = tuple[Named[DestinationRule], ...]
_Key = tuple[str, frozenset[tuple[str, str]]]


class OwnRules:
    """Replicas of one workload share an answer, which holds until a Service or a rule changes."""

    def __init__(self) -> None:
        self._names: Memo[dict[_Key, list[str]]] = Memo()
        self._rules: Memo[dict[_Key, _Rules]] = Memo()

    def of(self, world: World, replica: Replica) -> _Rules:
        key = (replica.namespace, frozenset(replica.labels.items()))
        names = self._names.get((world.services,), dict)
        if key not in names:
            names[key] = list(_names(world, replica))
        rules = self._rules.get((world.services, world.destination_rules), dict)
        if key not in rules:
            rules[key] = tuple(r for r in world.destination_rules if _covers_any(r, names[key]))
        return rules[key]


def _names(world: World, replica: Replica) -> Iterator[str]:
    """The hosts of the Services that select a replica."""
    for service in world.services:
        if service.selects(replica.namespace, replica.labels):
            yield service.fqdn


def _covers_any(rule: Named[DestinationRule], names: Iterable[str]) -> bool:
    host = fqdn(rule.spec.host, rule.namespace)
    return any(covers(host, name) for name in names)
