"""RequestAuthentications that require nothing: a request without a token is let in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshproof.errors import Problem
from meshproof.lint.context import LintContext
from meshproof.lint.policy_selection import selected_pods
from meshproof.model.resource import Resource


def find_optional_tokens(context: LintContext) -> Iterator[Problem]:
    """A bad token is refused, but a missing one is not, unless an AuthorizationPolicy for the same
    workloads requires a claim."""
    policies = [
        p for p in context.of("AuthorizationPolicy") if any(map(_requires_token, p.spec.rules))
    ]
    for authentication in context.of("RequestAuthentication"):
        if not authentication.spec.jwt_rules or _shares_workloads(
            context, authentication, policies
        ):
            continue
        yield authentication.problem(
            ("spec", "jwtRules"),
            "no AuthorizationPolicy asks for a token there: requests without one are let in",
            remedy='require one: rules: [{from: [{source: {requestPrincipals: ["*"]}}]}]',
        )


def _requires_token(rule: Any) -> bool:
    return any(s.request_principals or s.not_request_principals for s in rule.sources()) or any(
        condition.key.startswith("request.auth.") for condition in rule.when
    )


def _shares_workloads(
    context: LintContext, authentication: Resource, policies: list[Resource]
) -> bool:
    pods = {id(labels) for _, labels in selected_pods(context, authentication)}
    return any(
        id(labels) in pods for policy in policies for _, labels in selected_pods(context, policy)
    )
