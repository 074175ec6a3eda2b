"""PeerAuthentication: the mTLS mode of a workload's port, from the narrowest scope.

Istio (pilot/pkg/security/authn, ComposePeerAuthentication): port, workload, namespace, mesh. UNSET
inherits, the oldest policy of a scope wins, and PERMISSIVE is the default. A policy of the root
namespace is mesh-wide only without a selector.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from meshproof.model.peer_authentication import PeerAuthentication
from meshproof.translate.world import Named

Mode = Literal["DISABLE", "PERMISSIVE", "STRICT"]
Peers = tuple[Named[PeerAuthentication], ...]


def mtls_mode(peers: Peers, namespace: str, labels: Mapping[str, str], port: int) -> Mode:
    """The mode of container port ``port`` of a workload."""
    if not peers:
        return "PERMISSIVE"
    workload = _of_workload(peers, namespace, labels)
    scopes = [
        _first(p for p in peers if p.in_root and not _labels(p)),
        _first(p for p in peers if p.namespace == namespace and not _labels(p)),
        workload,
    ]
    mode: Mode = "PERMISSIVE"
    for policy in scopes:
        if policy is not None and policy.mtls.mode != "UNSET":
            mode = policy.mtls.mode
    port_mtls = workload.port_level_mtls.get(str(port)) if workload is not None else None
    return mode if port_mtls is None or port_mtls.mode == "UNSET" else port_mtls.mode


def port_level_modes(peers: Peers, namespace: str, labels: Mapping[str, str]) -> list[int]:
    """The ports of a workload that have a mode of their own, declared or not."""
    policy = _of_workload(peers, namespace, labels)
    return sorted(map(int, policy.port_level_mtls)) if policy is not None else []


def _of_workload(
    peers: Peers, namespace: str, labels: Mapping[str, str]
) -> PeerAuthentication | None:
    """The policy that selects a workload by its labels."""
    return _first(
        p
        for p in peers
        if p.namespace == namespace
        and not p.in_root
        and _labels(p)
        and _labels(p).items() <= labels.items()
    )


def _labels(policy: Named[PeerAuthentication]) -> Mapping[str, str]:
    return policy.spec.selector.match_labels if policy.spec.selector else {}


def _first(policies: Iterable[Named[PeerAuthentication]]) -> PeerAuthentication | None:
    return next((p.spec for p in policies), None)
