"""Which access log records are calls to a host, and who answered them. Pure.

Envoy's own word is taken, so nothing is asked of the app: the cluster that was chosen names host
and subset, the address that answered is a replica's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from meshproof.istio_names import CLUSTER_DOMAIN, ClusterName
from meshproof.mesh import AccessRecord, ReplicaStatus
from meshproof.verdicts.sample import Sample

UNKNOWN = "somebody else"

Responder = Callable[[AccessRecord], str]
"""A record -> who answered, as weights call it."""


def same_host(found: str, wanted: str) -> bool:
    """Whether two names are one host: ports are left out, ``svcb``, and ``svcb.shop``, is
    ``svcb.shop.svc.cluster.local``. Not ``msgd`` and ``msgd.test``: that may be a host outside."""
    first, second = sorted((_plain(found), _plain(wanted)), key=len)
    whole = second.removesuffix(f".{CLUSTER_DOMAIN}")
    if whole == second:
        return bool(first) and first == second
    return first in (second, whole, f"{whole}.svc", whole.partition(".")[0])


def cluster_host(record: AccessRecord) -> str:
    """The host of the cluster that was chosen; empty where the sidecar sent nothing on."""
    cluster = ClusterName.parse(record.upstream_cluster)
    return cluster.host if cluster else ""


def cluster_subset(record: AccessRecord) -> str:
    cluster = ClusterName.parse(record.upstream_cluster)
    return cluster.subset if cluster else ""


def handed_on(record: AccessRecord) -> bool:
    """Whether this Envoy sent the request to anybody."""
    return record.upstream_host not in ("", "-")


def good(record: AccessRecord) -> bool:
    """Sent on, and answered otherwise than with 5xx."""
    return handed_on(record) and 0 < record.code < 500


def calls_to(host: str, log: Iterable[AccessRecord]) -> list[AccessRecord]:
    """The callers' records of calls to a host, in the order in which they were begun."""
    found = [
        record
        for record in log
        if record.direction in ("outbound", "gateway")
        and (same_host(record.authority, host) or same_host(cluster_host(record), host))
    ]
    return sorted(found, key=lambda record: record.time)


def belonging(run_id: str, log: Sequence[AccessRecord]) -> list[AccessRecord]:
    """The records of one run: those with its id, and those of the same trace or request, whose
    apps handed on trace headers or ``x-request-id`` alone."""
    marked = [record for record in log if record.run_id == run_id]
    traces = {record.trace_id for record in marked} - {""}
    requests = {record.request_id for record in marked} - {""}
    return [
        record
        for record in log
        if record.run_id == run_id
        or (not record.run_id and (record.trace_id in traces or record.request_id in requests))
    ]


@dataclass(frozen=True, slots=True)
class ResponderBy:
    """The ways to tell answers apart, for replicas that live now."""

    replicas: Sequence[ReplicaStatus]

    def by(self, way: str) -> Responder:
        """``workload``, ``subset``, ``host``, or the name of a label of the replica that
        answered."""
        if way == "subset":
            return lambda record: cluster_subset(record) or UNKNOWN
        if way == "host":
            return lambda record: cluster_host(record).partition(".")[0] or UNKNOWN
        names = {
            replica.address: replica.workload if way == "workload" else replica.labels.get(way, "")
            for replica in self.replicas
            if replica.address
        }
        return lambda record: names.get(record.upstream_host.rpartition(":")[0]) or UNKNOWN

    def fitting(self, names: Iterable[str]) -> str:
        """How answers of these names are told apart: by workload or ``version`` label where
        replicas have them all, else by subset."""
        wanted = set(names)
        if wanted <= {replica.workload for replica in self.replicas}:
            return "workload"
        if wanted <= {replica.labels.get("version", "") for replica in self.replicas}:
            return "version"
        return "subset"


def sample(calls: Sequence[AccessRecord], teller: Responder, requests: int) -> Sample:
    """Who answered. A call without an answer, or with 5xx, is failed; a request that led to no
    call is unaccounted for."""
    answered = tuple(teller(call) for call in calls if good(call))
    counts: Mapping[str, int] = Counter(answered)
    failed = len(calls) - len(answered)
    return Sample(dict(sorted(counts.items())), failed, max(len(calls), requests), answered)


def _plain(host: str) -> str:
    name, _, port = host.lower().rpartition(":")
    return (name if name and port.isdecimal() else host.lower()).removesuffix(".")
