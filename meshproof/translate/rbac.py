"""AuthorizationPolicies as Envoy's RBAC filters, one for each action: AUDIT, DENY, ALLOW.

Istio: pilot/pkg/security/authz/{builder,model}. A policy without rules never matches, so an ALLOW
policy without rules denies everything. The keys of Envoy's rule set are
``ns[..]-policy[..]-rule[..]``; the response details of a denial name them. On a TCP port an ALLOW
rule with an HTTP field is left out; of a DENY or AUDIT rule only that field is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from meshproof.model.authorization_policy import AuthorizationPolicy, Rule
from meshproof.model.base_model import Model
from meshproof.translate import authz_conditions
from meshproof.translate.authz_conditions import AuthzContext, Builder, HttpFieldError
from meshproof.translate.proto import Json, build_any, build_extension, build_route_filter
from meshproof.translate.world import Named

Action = Literal["AUDIT", "DENY", "ALLOW"]
ACTIONS: Mapping[Action, str] = {"AUDIT": "LOG", "DENY": "DENY", "ALLOW": "ALLOW"}
"""In the order in which they run, with Envoy's name for each."""
_SHADOW_PREFIXES: Mapping[Action, str] = {
    "AUDIT": "",
    "DENY": "istio_dry_run_deny_",
    "ALLOW": "istio_dry_run_allow_",
}
"""Before the names of the counters of policies with the annotation istio.io/dry-run."""
_HTTP = "envoy.extensions.filters.http.rbac.v3"
HTTP_TYPE = f"{_HTTP}.RBAC"
NETWORK_FILTER = "envoy.filters.network.rbac"
NETWORK_TYPE = "envoy.extensions.filters.network.rbac.v3.RBAC"
_NEVER: Json = {
    "permissions": [{"not_rule": {"any": True}}],
    "principals": [{"not_id": {"any": True}}],
}
Policies = Sequence[Named[AuthorizationPolicy]]
Clause = tuple[Builder, str, Sequence[str], Sequence[str]]
"""A builder, the field or key that it is for, values and notValues."""


def filter_name(action: Action) -> str:
    """Each action has its own filter; per-route configuration finds it by this name."""
    return f"envoy.filters.http.rbac.{action.lower()}"


def build_http_filters() -> list[Json]:
    """The filters without rules. The rules are part of the routes, so that a change of policies
    needs no new listener and applies to open connections."""
    return [build_route_filter(filter_name(action), HTTP_TYPE) for action in ACTIONS]


def build_route_config(policies: Policies, context: AuthzContext) -> Json:
    """``typed_per_filter_config`` of routes: the rules of each action that has a policy."""
    return {
        filter_name(action): build_any(f"{_HTTP}.RBACPerRoute", rbac=fields)
        for action, fields in _rule_sets(policies, context)
    }


def build_network_filters(policies: Policies, context: AuthzContext) -> list[Json]:
    """The filters of a TCP port, with their rules: it has no routes that could carry them."""
    return [
        build_extension(NETWORK_FILTER, NETWORK_TYPE, stat_prefix="tcp.", **fields)
        for _action, fields in _rule_sets(policies, context)
    ]


def _rule_sets(policies: Policies, context: AuthzContext) -> Iterator[tuple[Action, Json]]:
    """The fields of each action's filter: what is in force, and what is only counted."""
    for action in ACTIONS:
        matching = [p for p in policies if p.spec.action == action]
        fields: Json = {}
        if in_force := [p for p in matching if not p.dry_run]:
            fields["rules"] = build_rules(in_force, ACTIONS[action], context)
        if dry_run := [p for p in matching if p.dry_run]:
            fields["shadow_rules"] = build_rules(dry_run, ACTIONS[action], context)
            fields["shadow_rules_stat_prefix"] = _SHADOW_PREFIXES[action]
        if fields:
            yield action, fields


def build_rules(
    policies: Policies, envoy_action: str, context: AuthzContext, prefix: str = ""
) -> Json:
    """One rule set of Envoy's; ``prefix`` begins the name of each of its policies."""
    rules = {prefix + key: rule for p in policies for key, rule in _rules(p, context)}
    return {"action": envoy_action, "policies": rules}


def _rules(policy: Named[AuthorizationPolicy], context: AuthzContext) -> Iterator[tuple[str, Json]]:
    own_context = replace(context, namespace=policy.namespace)
    name = f"ns[{policy.namespace}]-policy[{policy.name}]-rule"
    if not policy.spec.rules:
        never: Json = {"any": True}
        yield (
            f"{name}[0]",
            {"permissions": [{"not_rule": never}], "principals": [{"not_id": never}]},
        )
    for index, rule in enumerate(policy.spec.rules):
        try:
            yield (
                f"{name}[{index}]",
                _build_rule(rule, own_context, strict=policy.spec.action == "ALLOW"),
            )
        except HttpFieldError:
            continue


def _build_rule(rule: Rule, context: AuthzContext, *, strict: bool) -> Json:
    """OR over sources and over operations, AND over the fields of each and over conditions."""
    request_clauses = list(_when_clauses(rule, permissions=True))
    caller_clauses = list(_when_clauses(rule, permissions=False))
    permissions = [
        [*_field_clauses(o, authz_conditions.OPERATIONS), *request_clauses]
        for o in rule.operations()
    ] or [request_clauses]
    principals = [
        [*_field_clauses(s, authz_conditions.SOURCES), *caller_clauses] for s in rule.sources()
    ] or [caller_clauses]
    return {
        "permissions": [
            _build_conjunction(clauses, context, _PERMISSION, strict) for clauses in permissions
        ],
        "principals": [
            _build_conjunction(clauses, context, _PRINCIPAL, strict) for clauses in principals
        ],
    }


_PERMISSION = ("and_rules", "or_rules", "not_rule", "rules")
_PRINCIPAL = ("and_ids", "or_ids", "not_id", "ids")
_FieldNames = tuple[str, str, str, str]


def _field_clauses(model: Model, builders: Mapping[str, Builder]) -> Iterator[Clause]:
    for field, builder in builders.items():
        values, not_values = getattr(model, field), getattr(model, f"not_{field}")
        if values or not_values:
            yield builder, field, values, not_values


def _when_clauses(rule: Rule, *, permissions: bool) -> Iterator[Clause]:
    find = (
        authz_conditions.permission_builder if permissions else authz_conditions.principal_builder
    )
    for condition in rule.when:
        builder = find(condition.key)
        if builder is not None:
            yield builder, condition.key, condition.values, condition.not_values


def _build_conjunction(
    clauses: Iterable[Clause], context: AuthzContext, fields: _FieldNames, strict: bool
) -> Json:
    conjunction, disjunction, negation, members = fields
    parts: list[Json] = []
    for builder, key, values, not_values in clauses:
        matchers = _build_all(builder, context, key, values, strict)
        not_matchers = _build_all(builder, context, key, not_values, strict)
        if matchers:
            parts.append({disjunction: {members: matchers}})
        if not_matchers:
            parts.append({negation: {disjunction: {members: not_matchers}}})
    return {conjunction: {members: parts or [{"any": True}]}}


def _build_all(
    builder: Builder, context: AuthzContext, key: str, values: Iterable[str], strict: bool
) -> list[Json]:
    try:
        return [builder(context, key, value) for value in values]
    except HttpFieldError:
        if strict:
            raise
        return []
