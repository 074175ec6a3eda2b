"""EnvoyFilters whose patches do nothing, or whose effect hangs on an order that nobody states."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from meshproof.errors import Problem
from meshproof.lint.context import LintContext
from meshproof.model.resource import Resource

if TYPE_CHECKING:
    from meshproof.model.envoy_filter_patches import GeneralPatch

_RELATIVE = ("INSERT_BEFORE", "INSERT_AFTER", "REPLACE", "REMOVE")


def find_idle_patches(context: LintContext) -> Iterator[Problem]:
    """An operation that Istio passes over in silence (IST0152, IST0153, IST0154)."""
    for resource in context.of("EnvoyFilter"):
        for index, patch in enumerate(_patches(resource)):
            if not patch.is_applied:
                wanted = patch.possible_operations
                yield resource.problem(
                    ("spec", "configPatches", index, "patch", "operation"),
                    f"is {patch.patch.operation} with applyTo {patch.apply_to}, which does nothing",
                    " or ".join(wanted) or "another applyTo",
                )


def find_unordered_patches(context: LintContext) -> Iterator[Problem]:
    """A place relative to another filter, in one of several EnvoyFilters without a priority
    (IST0151, IST0155): which of them is applied first depends on their names and ages."""
    filters = [r for r in context.of("EnvoyFilter") if _patches(r)]
    for resource in filters:
        others = [r for r in filters if r is not resource and r.namespace == resource.namespace]
        if resource.spec.priority or not others:
            continue
        for index, patch in enumerate(_patches(resource)):
            if patch.patch.operation in _RELATIVE:
                yield resource.problem(
                    ("spec", "configPatches", index, "patch", "operation"),
                    f"is {patch.patch.operation}, and without a priority what it meets depends on "
                    f"the order of this and {others[0].title}",
                    "a priority, INSERT_FIRST or ADD",
                )
                break


def _patches(resource: Resource) -> list[GeneralPatch]:
    """None of a local rate limit in the form of Istio's task, which becomes part of the routes."""
    patches: list[GeneralPatch] = resource.spec.config_patches
    return [] if resource.spec.contexts() else patches
