"""Principals of policies under another trust domain than ``cluster.local``, or under aliases.

``cluster.local`` means the mesh's own domain; a principal of that domain, or of an alias, is one of
all of them (Istio: pilot/pkg/security/trustdomain, Bundle.ReplaceTrustDomainAliases).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from meshproof.istio_names import TRUST_DOMAIN
from meshproof.model.authorization_policy import AuthorizationPolicy, Rule
from meshproof.model.base_model import Model
from meshproof.model.mesh_config import MeshConfig

M = TypeVar("M", bound=Model)
_KEY = "source.principal"
_PARTS = 5
"""Of a whole principal: ``DOMAIN/ns/NAMESPACE/sa/ACCOUNT``."""


def with_trust_domains(policy: AuthorizationPolicy, mesh: MeshConfig) -> AuthorizationPolicy:
    """The policy with the principals that Istio makes of its own; the same where there is nothing
    to do."""
    domains = (mesh.trust_domain, *mesh.trust_domain_aliases)
    if domains == (TRUST_DOMAIN,):
        return policy
    rules = [_expand_rule(rule, domains) for rule in policy.rules]
    return policy.model_copy(update={"rules": rules})


def _expand_rule(rule: Rule, domains: Sequence[str]) -> Rule:
    update: dict[str, object] = {
        "when": [
            _expand(c, ("values", "not_values"), domains) if c.key == _KEY else c for c in rule.when
        ]
    }
    if rule.from_ is not None:
        names = ("principals", "not_principals")
        update["from_"] = [
            entry.model_copy(update={"source": _expand(entry.source, names, domains)})
            for entry in rule.from_
        ]
    return rule.model_copy(update=update)


def _expand(model: M, fields: Iterable[str], domains: Sequence[str]) -> M:
    update = {}
    for name in fields:
        expanded = (expand_principal(principal, domains) for principal in getattr(model, name))
        update[name] = [principal for group in expanded for principal in group]
    return model.model_copy(update=update)


def expand_principal(principal: str, domains: Sequence[str]) -> list[str]:
    """The principal once for each of the mesh's domains; as it is where its own is none of them,
    or any."""
    domain, _, rest = principal.partition("/")
    if principal.count("/") != _PARTS - 1 or domain == "*":
        return [principal]
    if domain != TRUST_DOMAIN and not any(_matches(domain, own) for own in domains):
        return [principal]
    expanded = (
        principal if domain.startswith("*") and _matches(domain, own) else f"{own}/{rest}"
        for own in domains
    )
    return list(dict.fromkeys(expanded))


def _matches(pattern: str, domain: str) -> bool:
    if pattern.startswith("*"):
        return domain.endswith(pattern[1:])
    return domain.startswith(pattern[:-1]) if pattern.endswith("*") else domain == pattern
