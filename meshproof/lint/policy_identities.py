"""Policies that name a caller's identity where callers have none, or an identity that none has.

Over a plain connection (PeerAuthentication DISABLE) a caller has no principal, namespace or service
account: an ALLOW rule for one lets nobody in, a DENY rule keeps nobody out.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.errors import Problem
from meshproof.istio_names import ROOT_NAMESPACE, TRUST_DOMAIN
from meshproof.lint.context import LintContext
from meshproof.lint.policy_selection import selected_pods
from meshproof.model.resource import Resource
from meshproof.sources.location import FieldPath
from meshproof.translate.peer_authentication import Peers, mtls_mode
from meshproof.translate.world import Named

_FIELDS = ("principals", "namespaces", "service_accounts")
_KEYS = ("source.principal", "source.namespace", "source.serviceAccount")


def find_unheard_identities(context: LintContext) -> Iterator[Problem]:
    """Reported where every selected workload is DISABLE on all of its ports."""
    peers = tuple(Named(p.name, p.namespace, p.spec) for p in context.of("PeerAuthentication"))
    if not peers:
        return
    for policy in context.of("AuthorizationPolicy"):
        if _is_plain_everywhere(context, policy, peers):
            for path in _identity_fields(policy):
                yield policy.problem(
                    path,
                    "asks for an identity, but PeerAuthentication DISABLE leaves callers without "
                    "one: it never matches",
                    remedy="take mutual TLS there (PERMISSIVE or STRICT), or leave it out",
                )


def find_unknown_sources(context: LintContext) -> Iterator[Problem]:
    """Namespaces and principals of a policy that no workload has: such a caller never comes.

    Patterns (``*``) are not judged.
    """
    if not context.accounts:
        return
    namespaces = {namespace for namespace, _ in context.accounts} | {ROOT_NAMESPACE}
    domains = {TRUST_DOMAIN, context.mesh.trust_domain, *context.mesh.trust_domain_aliases}
    principals = {
        f"{domain}/ns/{namespace}/sa/{name}"
        for namespace, name in context.accounts
        for domain in domains
    }
    for policy in context.of("AuthorizationPolicy"):
        for index, rule in enumerate(policy.spec.rules):
            for number, source in enumerate(rule.sources()):
                path: FieldPath = ("spec", "rules", index, "from", number, "source")
                for position, name in enumerate(source.namespaces):
                    if "*" not in name and name not in namespaces:
                        yield _unknown_source(
                            policy, (*path, "namespaces", position), name, namespaces
                        )
                for position, name in enumerate(source.principals):
                    if _is_workload_principal(name) and name not in principals:
                        yield _unknown_source(
                            policy, (*path, "principals", position), name, principals
                        )


def _is_workload_principal(principal: str) -> bool:
    """Whether it is a whole name, and not one of the mesh's gateway."""
    return "*" not in principal and f"/ns/{ROOT_NAMESPACE}/" not in principal


def _unknown_source(policy: Resource, path: FieldPath, name: str, principals: set[str]) -> Problem:
    return policy.problem(
        path,
        f"no workload here is {name}: it never matches",
        "one of " + ", ".join(sorted(principals)),
        "correct it, or start such a workload",
    )


def _is_plain_everywhere(context: LintContext, policy: Resource, peers: Peers) -> bool:
    pods = selected_pods(context, policy)
    modes = {mtls_mode(peers, namespace, labels, 0) for namespace, labels in pods}
    return modes == {"DISABLE"} and not any(p.spec.port_level_mtls for p in peers)


def _identity_fields(policy: Resource) -> Iterator[FieldPath]:
    """The paths of the fields that name an identity."""
    for index, rule in enumerate(policy.spec.rules):
        path: FieldPath = ("spec", "rules", index)
        for number, source in enumerate(rule.sources()):
            for field in _FIELDS:
                if getattr(source, field):
                    alias = type(source).model_fields[field].alias or field
                    yield (*path, "from", number, "source", alias)
        for number, condition in enumerate(rule.when):
            if condition.key in _KEYS and condition.values:
                yield (*path, "when", number, "key")
