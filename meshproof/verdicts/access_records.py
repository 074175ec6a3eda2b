"""Which access log records are calls to a host, and who answered them. Pure.

Only Envoy's own log is read, so the app need not say anything: the chosen cluster names host and
subset, and the upstream address is a replica's.
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
"""A record -> who answered, by the name that weights use."""


def same_host(one: str, other: str) -> bool:
    """Whether two names are one host, whatever their ports: ``cart`` and ``cart.shop`` are
    ``cart.shop.svc.cluster.local``. ``rates`` and ``rates.test`` are not: that one may be a host
    outside."""
    first, second = sorted((_plain(one), _plain(other)), key=len)
    whole = second.removesuffix(f".{CLUSTER_DOMAIN}")
    if whole == second:
        return bool(first) and first == second
    return first in (second, whole, f"{whole}.svc", whole.partition(".")[0])


def cluster_host(record: AccessRecord) -> str:
    """The host of the chosen cluster; empty where the sidecar forwarded nothing."""
    cluster = ClusterName.parse(record.upstream_cluster)
    return cluster.host if cluster else ""


def cluster_subset(record: AccessRecord) -> str:
    cluster = ClusterName.parse(record.upstream_cluster)
    return cluster.subset if cluster else ""


def has_upstream(record: AccessRecord) -> bool:
    """Whether this Envoy forwarded the request to an upstream host."""
    return record.upstream_host not in ("", "-")


def is_success(record: AccessRecord) -> bool:
    """Forwarded, and answered with anything but 5xx."""
    return has_upstream(record) and 0 < record.code < 500


def calls_to(host: str, log: Iterable[AccessRecord]) -> list[AccessRecord]:
    """The callers' records of calls to a host, in the order in which the calls began."""
    calls = [
        record
        for record in log
        if record.direction in ("outbound", "gateway")
        and (same_host(record.authority, host) or same_host(cluster_host(record), host))
    ]
    return sorted(calls, key=lambda record: record.time)


def records_of_run(run_id: str, log: Sequence[AccessRecord]) -> list[AccessRecord]:
    """The records of one run: those with its id, and those of the same traces or requests, where an
    app forwarded only trace headers or ``x-request-id``."""
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
    """Tells responders apart by a key, for the replicas that exist now."""

    replicas: Sequence[ReplicaStatus]

    def responder(self, key: str) -> Responder:
        """``key`` is ``workload``, ``subset``, ``host``, or a label of the replicas."""
        if key == "subset":
            return lambda record: cluster_subset(record) or UNKNOWN
        if key == "host":
            return lambda record: cluster_host(record).partition(".")[0] or UNKNOWN
        names = {
            replica.address: replica.workload if key == "workload" else replica.labels.get(key, "")
            for replica in self.replicas
            if replica.address
        }
        return lambda record: names.get(record.upstream_host.rpartition(":")[0]) or UNKNOWN

    def key_for(self, names: Iterable[str]) -> str:
        """The key by which these names are told apart: workload or ``version`` label where replicas
        have them all, else subset."""
        expected = set(names)
        if expected <= {replica.workload for replica in self.replicas}:
            return "workload"
        if expected <= {replica.labels.get("version", "") for replica in self.replicas}:
            return "version"
        return "subset"


def sample(calls: Sequence[AccessRecord], responder: Responder, requests: int) -> Sample:
    """Who answered. A call without an answer, or with 5xx, is failed; a request that caused no call
    is unaccounted for."""
    answered = tuple(responder(call) for call in calls if is_success(call))
    counts: Mapping[str, int] = Counter(answered)
    failed = len(calls) - len(answered)
    return Sample(dict(sorted(counts.items())), failed, max(len(calls), requests), answered)


def _plain(host: str) -> str:
    name, _, port = host.lower().rpartition(":")
    return (name if name and port.isdecimal() else host.lower()).removesuffix(".")
