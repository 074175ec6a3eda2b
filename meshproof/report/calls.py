"""Who called whom in a run, from the access logs of the callers' sidecars. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from meshproof.istio_names import ClusterName, is_service_host
from meshproof.mesh import AccessRecord, ReplicaStatus
from meshproof.report.series import quantile

GATEWAY = "gateway"
CLOSED = "closed"
"""Stands for every host to which no rule allows calls."""


@dataclass(frozen=True, slots=True)
class Call:
    """The calls of one workload to another, or to a host outside."""

    source: str
    target: str
    outside: bool
    count: int
    failed: int
    """Answered 5xx, or not at all."""
    p50: float | None
    """Milliseconds, over all of them."""
    p99: float | None


def summarize_calls(
    records: Iterable[AccessRecord], replicas: Sequence[ReplicaStatus]
) -> list[Call]:
    """By caller and target. Inbound records are skipped: each call would be counted twice."""
    sidecars = {replica.name: replica.workload for replica in replicas}
    addresses = {replica.address: replica.workload for replica in replicas if replica.address}
    groups: dict[tuple[str, str, bool], list[AccessRecord]] = {}
    for record in records:
        if record.direction == "inbound":
            continue
        source = GATEWAY if record.direction == "gateway" else _workload(record.sidecar, sidecars)
        groups.setdefault((source, *_target(record, addresses)), []).append(record)
    return [_summarize(key, group) for key, group in sorted(groups.items())]


def _summarize(key: tuple[str, str, bool], records: Sequence[AccessRecord]) -> Call:
    waits = sorted(float(record.duration_ms) for record in records)
    failed = sum(record.code == 0 or record.code >= 500 for record in records)
    return Call(*key, len(records), failed, quantile(waits, 0.5), quantile(waits, 0.99))


def _workload(sidecar: str, sidecars: Mapping[str, str]) -> str:
    """For a replica that no longer exists: its name without the two parts that make it unique."""
    return sidecars.get(sidecar) or sidecar.rsplit("-", 2)[0]


def _target(record: AccessRecord, addresses: Mapping[str, str]) -> tuple[str, bool]:
    """A workload by the upstream address, else the subset or service that was called; a host
    outside by its name. The flag says whether it is outside."""
    cluster = ClusterName.parse(record.upstream_cluster)
    if cluster is None:
        return CLOSED, True
    address = record.upstream_host.rpartition(":")[0]
    if address in addresses:
        return addresses[address], False
    if not is_service_host(cluster.host):
        return cluster.host, True
    service = cluster.host.partition(".")[0]
    return f"{service} {cluster.subset}".strip(), False
