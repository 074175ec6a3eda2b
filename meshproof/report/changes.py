"""The changes of a mesh as a report shows them: each with the traffic shares after it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from meshproof.mesh import ReplicaStatus, Topology
from meshproof.report.sections import ChangeRecord, Json

Shares = Mapping[str, Mapping[str, float]]
"""Service -> version -> per cent."""
UNKNOWN_SHARES: Shares = {"": {"": 0.0}}
"""Shares after a change that another followed before they were read: those rules are gone."""


def change_record(event: Json, shares: Shares | None = None) -> ChangeRecord:
    """``event`` is ``control.events.Event.as_dict()``."""
    error = str((event["error"] or {}).get("message", ""))
    return ChangeRecord(
        event["verb"], event["subject"], event["at"], event["seconds"], event["sidecars"], error,
        shares or {},
    )  # fmt: skip


def traffic_shares(topology: Topology, replicas: Sequence[ReplicaStatus]) -> Shares:
    """The shares of rules that hold for all calls."""
    versions = {
        (replica.namespace, replica.workload): replica.labels.get("version", "")
        for replica in replicas
    }
    shares: dict[str, dict[str, float]] = {}
    for share in topology.shares:
        targets = {versions.get((share.namespace, workload), "") for workload in share.workloads}
        if share.only or len(targets) != 1:
            continue
        service = shares.setdefault(share.host.partition(".")[0], {})
        version = targets.pop()
        service[version] = service.get(version, 0.0) + share.percent
    return shares
