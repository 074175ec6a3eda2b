"""AuthorizationPolicies as Envoy's RBAC, one rule set an action: AUDIT, DENY, ALLOW.

Istio: pilot/pkg/security/authz/{builder,model}. A policy without rules matches never, so an ALLOW
of that kind denies all; a key of Envoy's rule set is ``ns[..]-policy[..]-rule[..]``, which the
response details of a denial name. On a port of bytes an ALLOW rule that speaks of HTTP is left
out, of a DENY or AUDIT rule only that field.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from meshproof.model.authorization_policy import AuthorizationPolicy, Rule
from meshproof.model.base_model import Model
from meshproof.translate import authz_conditions
from meshproof.translate.authz_conditions import AuthzContext, Builder, HttpFieldError
from meshproof.translate.proto import Json, build_any, build_extension
from meshproof.translate.world import Named

Action = Literal["AUDIT", "DENY", "ALLOW"]
ACTIONS: Mapping[Action, str] = {"AUDIT": "LOG", "DENY": "DENY", "ALLOW": "ALLOW"}
"""In the order in which they are asked, with Envoy's word for each."""
_HTTP = "envoy.extensions.filters.http.rbac.v3"
_NETWORK = "envoy.extensions.filters.network.rbac.v3.RBAC"
_NEVER: Json = {
    "permissions": [{"not_rule": {"any": True}}],
    "principals": [{"not_id": {"any": True}}],
}
Policies = Sequence[Named[AuthorizationPolicy]]
Clause = tuple[Builder, str, Sequence[str], Sequence[str]]
"""A maker, the field or key that it is for, values and notValues."""


def filter_name(action: Action) -> str:
    """Each action has a filter of its own, found by this name in per-route configuration."""
    return f"envoy.filters.http.rbac.{action.lower()}"


def http_filters() -> list[Json]:
    """The filters, with no rules: those come with the routes, so that a change of policies needs
    no new listener and holds on connections that are open."""
    return [build_extension(filter_name(action), f"{_HTTP}.RBAC") for action in ACTIONS]


def per_route(policies: Policies, place: AuthzContext) -> Json:
    """``typed_per_filter_config`` of routes: the rules of each action that has a policy."""
    return {
        filter_name(action): build_any(f"{_HTTP}.RBACPerRoute", rbac={"rules": rules})
        for action, rules in _rule_sets(policies, place)
    }


def network_filters(policies: Policies, place: AuthzContext) -> list[Json]:
    """The same for a port of bytes, where nothing but the listener can carry them."""
    return [
        build_extension("envoy.filters.network.rbac", _NETWORK, stat_prefix="tcp.", rules=rules)
        for _action, rules in _rule_sets(policies, place)
    ]


def _rule_sets(policies: Policies, place: AuthzContext) -> Iterator[tuple[Action, Json]]:
    for action, word in ACTIONS.items():
        mine = [p for p in policies if p.spec.action == action]
        if mine:
            found = {key: rule for p in mine for key, rule in _rules(p, place)}
            yield action, {"action": word, "policies": found}


def _rules(policy: Named[AuthorizationPolicy], place: AuthzContext) -> Iterator[tuple[str, Json]]:
    where = replace(place, namespace=policy.namespace)
    name = f"ns[{policy.namespace}]-policy[{policy.name}]-rule"
    if not policy.spec.rules:
        never: Json = {"any": True}
        yield (
            f"{name}[0]",
            {"permissions": [{"not_rule": never}], "principals": [{"not_id": never}]},
        )
    for index, rule in enumerate(policy.spec.rules):
        try:
            yield f"{name}[{index}]", _rule(rule, where, strict=policy.spec.action == "ALLOW")
        except HttpFieldError:
            continue


def _rule(rule: Rule, place: AuthzContext, *, strict: bool) -> Json:
    """OR over sources and over operations, AND over the fields of each and over conditions."""
    asked = list(_when(rule, permissions=True))
    asking = list(_when(rule, permissions=False))
    what = [[*_fields(o, authz_conditions.OPERATIONS), *asked] for o in rule.operations()] or [
        asked
    ]
    whom = [[*_fields(s, authz_conditions.SOURCES), *asking] for s in rule.sources()] or [asking]
    return {
        "permissions": [_all(clauses, place, _PERMISSION, strict) for clauses in what],
        "principals": [_all(clauses, place, _PRINCIPAL, strict) for clauses in whom],
    }


_PERMISSION = ("and_rules", "or_rules", "not_rule", "rules")
_PRINCIPAL = ("and_ids", "or_ids", "not_id", "ids")
_Words = tuple[str, str, str, str]


def _fields(model: Model, makers: Mapping[str, Builder]) -> Iterator[Clause]:
    for field, maker in makers.items():
        values, others = getattr(model, field), getattr(model, f"not_{field}")
        if values or others:
            yield maker, field, values, others


def _when(rule: Rule, *, permissions: bool) -> Iterator[Clause]:
    find = (
        authz_conditions.permission_builder if permissions else authz_conditions.principal_builder
    )
    for condition in rule.when:
        maker = find(condition.key)
        if maker is not None:
            yield maker, condition.key, condition.values, condition.not_values


def _all(clauses: Iterable[Clause], place: AuthzContext, words: _Words, strict: bool) -> Json:
    conjunction, disjunction, negation, members = words
    found: list[Json] = []
    for maker, key, values, others in clauses:
        wanted = _made(maker, place, key, values, strict)
        unwanted = _made(maker, place, key, others, strict)
        if wanted:
            found.append({disjunction: {members: wanted}})
        if unwanted:
            found.append({negation: {disjunction: {members: unwanted}}})
    return {conjunction: {members: found or [{"any": True}]}}


def _made(
    maker: Builder, place: AuthzContext, key: str, values: Iterable[str], strict: bool
) -> list[Json]:
    try:
        return [maker(place, key, value) for value in values]
    except HttpFieldError:
        if strict:
            raise
        return []
