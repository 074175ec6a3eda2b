"""AuthorizationPolicies that only note which request they match: CUSTOM, and dry runs.

Envoy's RBAC filter writes its shadow rules' decision into the dynamic metadata, where the ext_authz
filter reads it. What the external server says is not known, so a request is taken to be let in.
"""

from __future__ import annotations

from typing import Any

from meshproof.explain import rbac
from meshproof.explain.connection import AuthzRequest
from meshproof.explain.descriptions import describe_cluster
from meshproof.explain.origin import Locate, RuleOrigin, policy_origin
from meshproof.explain.string_match import Json, matches

_POLICY, _RESULT = "shadow_effective_policy_id", "shadow_engine_result"
_DRY_RUN = "istio_dry_run_"


def shadow_metadata(config: Json, authz: AuthzRequest, filter_name: str) -> dict[str, Any]:
    """The dynamic metadata that an RBAC filter writes, under ``filter_name``."""
    rules, prefix = config.get("shadow_rules"), config.get("shadow_rules_stat_prefix", "")
    if not rules:
        return {}
    decision = rbac.evaluate(rules, authz)
    result = "allowed" if decision.allowed else "denied"
    return {filter_name: {f"{prefix}{_POLICY}": decision.key, f"{prefix}{_RESULT}": result}}


def dry_run_notes(config: Json, authz: AuthzRequest, locate: Locate) -> tuple[str, ...]:
    """What policies with the annotation istio.io/dry-run would have done."""
    rules = config.get("shadow_rules")
    if not rules or not config.get("shadow_rules_stat_prefix", "").startswith(_DRY_RUN):
        return ()
    decision = rbac.evaluate(rules, authz)
    origin = policy_origin(decision.key)
    would = "would let it in" if decision.allowed else "would deny it"
    if origin is None:
        return (f"no policy in a dry run matches: in force, they {would}",)
    return (f"{locate(origin)} {would}, and is a dry run",)


def find_check(
    config: Json, authz: AuthzRequest, locate: Locate
) -> tuple[RuleOrigin, str, str] | None:
    """The rule that makes an ext_authz filter ask, the cluster that it asks, and what is assumed
    of the answer; None where it does not ask."""
    matcher = config.get("filter_enabled_metadata", {})
    value: Any = authz.metadata.get(matcher.get("filter"), {})
    for part in matcher.get("path", ()):
        value = value.get(part["key"], "")
    if not isinstance(value, str) or not matches(matcher["value"]["string_match"], value):
        return None
    origin = policy_origin(value)
    if origin is None:
        return None
    rule, server = locate(origin), describe_cluster(_cluster_of(config))
    return rule, server, f"{server} lets it in, which {rule.title} asks"


def _cluster_of(config: Json) -> str:
    http = config.get("http_service", {}).get("server_uri", {})
    grpc = config.get("grpc_service", {}).get("envoy_grpc", {})
    return str(http.get("cluster") or grpc.get("cluster_name", ""))
