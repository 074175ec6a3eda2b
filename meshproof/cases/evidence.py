"""What became of each request that was sent, by the sidecars' own access logs. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from meshproof.cases.facts import Responder
from meshproof.istio_names import INGRESS_GATEWAY
from meshproof.mesh import AccessRecord, Answer, ReplicaStatus
from meshproof.traffic.calls import GATEWAY, Call
from meshproof.verdicts.access_records import cluster_host, has_upstream, same_host


@dataclass(frozen=True, slots=True)
class Evidence:
    """The answers to the requests of one run, the log of it, and who could answer."""

    call: Call
    answers: tuple[Answer, ...]
    log: tuple[AccessRecord, ...]
    replicas: Sequence[ReplicaStatus]
    rewritten_hosts: frozenset[str] = frozenset()
    """What the caller's routes write in place of the host: its sidecar logs that."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One request: who got it (None where the mesh answered itself), what the caller was
    answered, and host and path as they arrived."""

    responder: Responder | None
    status: int
    location: str = ""
    host: str = ""
    path: str = ""


def observe(evidence: Evidence) -> list[Observation]:
    """One for each request of the run that the caller's sidecar logged, and one for each whose
    connection it closed, or whose host has no name: what no rule opens gets no further."""
    locations = {_location(a) for a in evidence.answers} - {""}
    location = locations.pop() if len(locations) == 1 else ""
    logged = [
        _observe_call(record, evidence, location if 300 <= record.code < 400 else "")
        for record in _first_calls(evidence)
    ]
    closed = [a for a in evidence.answers if not a.status and a.refused_by]
    return [*logged, *(Observation(None, 0) for _ in closed)]


def _location(answer: Answer) -> str:
    return next((v for k, v in answer.headers if k.lower() == "location"), "")


def _first_calls(evidence: Evidence) -> Iterator[AccessRecord]:
    """The caller's records of these calls, not of calls that apps made because of them."""
    call = evidence.call
    name = INGRESS_GATEWAY if call.from_ == GATEWAY else call.from_.rpartition("/")[2]
    senders = {r.name for r in evidence.replicas if name in (r.workload, r.labels.get("app"))}
    if call.from_ == GATEWAY or not senders:
        yield from (r for r in evidence.log if _is_gateway(r, name))
        return
    for record in evidence.log:
        outbound = record.direction == "outbound" and record.sidecar in senders
        hosts = (call.host, *evidence.rewritten_hosts)
        if outbound and any(same_host(record.authority, host) for host in hosts):
            yield record


def _is_gateway(record: AccessRecord, workload: str) -> bool:
    """Whether a gateway wrote it: its node is ``NAMESPACE.WORKLOAD``, or a pod of the workload."""
    node = record.sidecar.rpartition(".")[2]
    is_one = node == workload or node.startswith(f"{workload}-")
    return record.direction == "gateway" and is_one


def _observe_call(record: AccessRecord, evidence: Evidence, location: str) -> Observation:
    if not has_upstream(record):
        return Observation(None, record.code, location)
    address = record.upstream_host.rpartition(":")[0]
    replica = next((r for r in evidence.replicas if r.address == address), None)
    if replica is None:
        host = cluster_host(record) or record.authority
        return Observation(
            Responder("", host),
            record.code,
            location,
            record.authority,
            record.final_path or record.path,
        )
    arrived = [
        r
        for r in evidence.log
        if r.direction == "inbound"
        and r.sidecar == replica.name
        and r.request_id == record.request_id
        and has_upstream(r)
    ]
    if not arrived:
        return Observation(None, record.code, location)
    responder = Responder(replica.namespace, replica.workload, replica.labels.get("version", ""))
    path = arrived[0].final_path or arrived[0].path
    return Observation(responder, record.code, location, arrived[0].authority, path)
