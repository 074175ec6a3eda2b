"""Policies that ask for an identity where nobody has one: PeerAuthentication is DISABLE there.

Over a plain connection no source is of any principal, namespace or service account: an ALLOW rule
lets nobody in by it, a DENY rule keeps nobody out.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.errors import Problem
from meshproof.istio_names import ROOT_NAMESPACE, TRUST_DOMAIN
from meshproof.lint.policies import selected
from meshproof.lint.view import View
from meshproof.model.resource import Resource
from meshproof.sources.location import FieldPath
from meshproof.translate.peer_authentication import Peers, mtls_mode
from meshproof.translate.world import Named

_FIELDS = ("principals", "namespaces", "service_accounts")
_KEYS = ("source.principal", "source.namespace", "source.serviceAccount")


def unheard_identities(view: View) -> Iterator[Problem]:
    """Said where every selected workload is DISABLE at all of its ports."""
    peers = tuple(Named(p.name, p.namespace, p.spec) for p in view.of("PeerAuthentication"))
    if not peers:
        return
    for policy in view.of("AuthorizationPolicy"):
        if _all_plain(view, policy, peers):
            for path in _asked(policy):
                yield policy.problem(
                    path,
                    "asks for an identity, but PeerAuthentication DISABLE leaves callers without "
                    "one: it never matches",
                    remedy="take mutual TLS there (PERMISSIVE or STRICT), or leave it out",
                )


def unknown_sources(view: View) -> Iterator[Problem]:
    """Namespaces and principals of a policy that no workload has: that source never comes.

    Only plain names are judged, since a pattern (``*``) may mean much.
    """
    if not view.accounts:
        return
    namespaces = {where for where, _ in view.accounts} | {ROOT_NAMESPACE}
    known = {f"{TRUST_DOMAIN}/ns/{where}/sa/{name}" for where, name in view.accounts}
    for policy in view.of("AuthorizationPolicy"):
        for index, rule in enumerate(policy.spec.rules):
            for number, source in enumerate(rule.sources()):
                here: FieldPath = ("spec", "rules", index, "from", number, "source")
                for place, name in enumerate(source.namespaces):
                    if "*" not in name and name not in namespaces:
                        yield _nobody(policy, (*here, "namespaces", place), name, namespaces)
                for place, name in enumerate(source.principals):
                    if _told(name) and name not in known:
                        yield _nobody(policy, (*here, "principals", place), name, known)


def _told(principal: str) -> bool:
    """Whether it is whole, and not one of the mesh's gateway."""
    return "*" not in principal and f"/ns/{ROOT_NAMESPACE}/" not in principal


def _nobody(policy: Resource, path: FieldPath, name: str, known: set[str]) -> Problem:
    return policy.problem(
        path,
        f"no workload here is {name}: it never matches",
        "one of " + ", ".join(sorted(known)),
        "correct it, or start such a workload",
    )


def _all_plain(view: View, policy: Resource, peers: Peers) -> bool:
    pods = selected(view, policy)
    modes = {mtls_mode(peers, namespace, labels, 0) for namespace, labels in pods}
    return modes == {"DISABLE"} and not any(p.spec.port_level_mtls for p in peers)


def _asked(policy: Resource) -> Iterator[FieldPath]:
    """Where the policy asks for an identity."""
    for index, rule in enumerate(policy.spec.rules):
        here: FieldPath = ("spec", "rules", index)
        for number, source in enumerate(rule.sources()):
            for field in _FIELDS:
                if getattr(source, field):
                    alias = type(source).model_fields[field].alias or field
                    yield (*here, "from", number, "source", alias)
        for number, condition in enumerate(rule.when):
            if condition.key in _KEYS and condition.values:
                yield (*here, "when", number, "key")
