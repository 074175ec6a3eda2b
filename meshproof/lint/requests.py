"""Policies that ask for requests that cannot be: paths that do not begin with a slash."""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.errors import Problem
from meshproof.lint.view import View


def impossible_paths(view: View) -> Iterator[Problem]:
    """A path is matched whole, by prefix (``/admin*``) or suffix (``*.html``); a request's begins
    with a slash, so any other text matches none."""
    for policy in view.of("AuthorizationPolicy"):
        for index, rule in enumerate(policy.spec.rules):
            for number, entry in enumerate(rule.to or ()):
                for place, path in enumerate(entry.operation.paths):
                    if path and path[0] not in "/*{":
                        yield policy.problem(
                            ("spec", "rules", index, "to", number, "operation", "paths", place),
                            f'is "{path}", but a request\'s path begins with /: it never matches',
                            remedy=f"write /{path}",
                        )
