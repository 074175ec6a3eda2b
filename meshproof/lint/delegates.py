"""Delegation that leads nowhere: a delegate that is missing, not exported, or that nobody names.

Istio drops such a root route alone, without a word; a delegate that nobody names does nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.errors import Problem
from meshproof.lint.view import View
from meshproof.model.resource import Resource
from meshproof.sources.location import FieldPath
from meshproof.translate.visibility import is_visible

Key = tuple[str, str]


def missing_delegates(view: View) -> Iterator[Problem]:
    """Root routes whose delegate is not there for them."""
    known = {(r.namespace, r.name): r for r in view.of("VirtualService")}
    for rule, path, key in _named(view):
        found = known.get(key)
        name = "/".join(key)
        if found is None:
            why, remedy = f"there is no VirtualService {name}", "correct the name"
        elif found.spec.hosts:
            why = f"VirtualService {name} has hosts, so it is no delegate"
            remedy = "remove its hosts"
        elif not is_visible(found.spec.export_to, found.namespace, rule.namespace):
            why, remedy = f"VirtualService {name} is not exported to {rule.namespace}", ""
        else:
            continue
        yield rule.problem(path, f"{why}; Istio drops this route", remedy=remedy)


def idle_delegates(view: View) -> Iterator[Problem]:
    """VirtualServices without hosts that no root names."""
    used = {key for _, _, key in _named(view)}
    for rule in view.of("VirtualService"):
        if not rule.spec.hosts and (rule.namespace, rule.name) not in used:
            yield rule.problem(
                ("spec",),
                "has no hosts, and no other VirtualService delegates to it; it does nothing",
                remedy="give it hosts, or name it in a delegate",
            )


def _named(view: View) -> Iterator[tuple[Resource, FieldPath, Key]]:
    """Each ``delegate`` with its rule, its place and the VirtualService that it names."""
    for rule in view.of("VirtualService"):
        for index, route in enumerate(rule.spec.http):
            if route.delegate is not None:
                where = route.delegate.namespace or rule.namespace
                yield rule, ("spec", "http", index, "delegate"), (where, route.delegate.name)
