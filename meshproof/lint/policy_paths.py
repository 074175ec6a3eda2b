"""Paths of policies that no request can have: they do not begin with a slash."""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.errors import Problem
from meshproof.lint.context import LintContext
from meshproof.model.authorization_values import is_path_template


def find_impossible_paths(context: LintContext) -> Iterator[Problem]:
    """A policy's path matches whole, by prefix (``/admin*``) or suffix (``*.html``). A request's
    path begins with a slash, so any other text matches none."""
    for policy in context.of("AuthorizationPolicy"):
        for index, rule in enumerate(policy.spec.rules):
            for number, entry in enumerate(rule.to or ()):
                for position, path in enumerate(entry.operation.paths):
                    if not is_path_template(path) and "*" in path.strip("*"):
                        yield policy.problem(
                            ("spec", "rules", index, "to", number, "operation", "paths", position),
                            f'is "{path}": Istio takes the * inside as it is, not for any text',
                            remedy="write {*} for one part, or {**} for the rest",
                        )
                    if path and path[0] not in "/*{":
                        yield policy.problem(
                            ("spec", "rules", index, "to", number, "operation", "paths", position),
                            f'is "{path}", but a request\'s path begins with /: it never matches',
                            remedy=f"write /{path}",
                        )
