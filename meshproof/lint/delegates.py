"""Delegates that are missing, not exported, or not named by any VirtualService.

Istio silently drops a route whose delegate is missing. A delegate that nothing names has no effect.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.errors import Problem
from meshproof.lint.context import LintContext
from meshproof.model.resource import Resource
from meshproof.sources.location import FieldPath
from meshproof.translate.visibility import is_visible

Key = tuple[str, str]


def find_missing_delegates(context: LintContext) -> Iterator[Problem]:
    """Routes whose delegate does not exist, or is not exported to them."""
    virtual_services = {(r.namespace, r.name): r for r in context.of("VirtualService")}
    for rule, path, key in _references(context):
        delegate = virtual_services.get(key)
        name = "/".join(key)
        if delegate is None:
            why, remedy = f"there is no VirtualService {name}", "correct the name"
        elif delegate.spec.hosts:
            why = f"VirtualService {name} has hosts, so it is not a delegate"
            remedy = "remove its hosts"
        elif not is_visible(delegate.spec.export_to, delegate.namespace, rule.namespace):
            why, remedy = f"VirtualService {name} is not exported to {rule.namespace}", ""
        else:
            continue
        yield rule.problem(path, f"{why}; Istio drops this route", remedy=remedy)


def find_idle_delegates(context: LintContext) -> Iterator[Problem]:
    """VirtualServices without hosts that no other one delegates to."""
    references = {key for _, _, key in _references(context)}
    for rule in context.of("VirtualService"):
        if not rule.spec.hosts and (rule.namespace, rule.name) not in references:
            yield rule.problem(
                ("spec",),
                "has no hosts, and no other VirtualService delegates to it; it does nothing",
                remedy="give it hosts, or name it in a delegate",
            )


def _references(context: LintContext) -> Iterator[tuple[Resource, FieldPath, Key]]:
    """Each ``delegate`` with its rule, its path and the VirtualService that it names."""
    for rule in context.of("VirtualService"):
        for index, route in enumerate(rule.spec.http):
            if route.delegate is not None:
                namespace = route.delegate.namespace or rule.namespace
                yield rule, ("spec", "http", index, "delegate"), (namespace, route.delegate.name)
