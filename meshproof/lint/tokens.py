"""RequestAuthentications that ask for nothing: a request without a token is let in all the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshproof.errors import Problem
from meshproof.lint.policies import selected
from meshproof.lint.view import View
from meshproof.model.resource import Resource


def optional_tokens(view: View) -> Iterator[Problem]:
    """A bad token is refused, a missing one is not, unless an AuthorizationPolicy for the same
    workloads asks for what a token says."""
    asking = [p for p in view.of("AuthorizationPolicy") if any(map(_asks, p.spec.rules))]
    for authentication in view.of("RequestAuthentication"):
        if not authentication.spec.jwt_rules or _shared(view, authentication, asking):
            continue
        yield authentication.problem(
            ("spec", "jwtRules"),
            "no AuthorizationPolicy asks for a token there: requests without one are let in",
            remedy='require one: rules: [{from: [{source: {requestPrincipals: ["*"]}}]}]',
        )


def _asks(rule: Any) -> bool:
    return any(s.request_principals or s.not_request_principals for s in rule.sources()) or any(
        condition.key.startswith("request.auth.") for condition in rule.when
    )


def _shared(view: View, authentication: Resource, asking: list[Resource]) -> bool:
    mine = [id(labels) for _, labels in selected(view, authentication)]
    return any(id(labels) in mine for policy in asking for _, labels in selected(view, policy))
