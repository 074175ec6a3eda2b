"""Which replica answered, by the access log of the sidecar that chose it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from meshproof.mesh import AccessRecord, Mesh
from meshproof.verdicts.recovery import Meetings
from meshproof.verdicts.sample import Sample


def replica_names(mesh: Mesh) -> dict[str, str]:
    """Address -> name, of the replicas that exist now."""
    return {r.address: r.name for r in mesh.status().replicas}


def calls_between(log: Iterable[AccessRecord], caller: str, app: str) -> list[AccessRecord]:
    """The calls by a workload's sidecars to a service, in the order in which they began."""
    calls = [
        r
        for r in log
        if r.direction == "outbound"
        and r.sidecar.startswith(caller)
        and f"|{app}." in r.upstream_cluster
    ]
    return sorted(calls, key=lambda r: r.time)


def upstream_address(record: AccessRecord) -> str:
    return record.upstream_host.rpartition(":")[0]


def meetings(
    log: Sequence[AccessRecord], caller: str, app: str, replica: tuple[str, str]
) -> Meetings:
    """Which calls met a replica (name, address). Of a call that another one answered in the end,
    the log of the replica's own sidecar says that it came there first."""
    name, address = replica
    failed = [r for r in log if r.sidecar == name and r.direction == "inbound" and r.code != 200]
    tried = {r.request_id for r in failed}
    served, missed, others = [], [], []
    for call in calls_between(log, caller, app):
        last = upstream_address(call) == address
        if last and call.code == 200:
            served.append(began_at(call))
        elif last or call.request_id in tried:
            missed.append(began_at(call))
        elif call.code == 200:
            others.append(began_at(call))
    return Meetings(served, missed, others)


def sample_of(records: Sequence[AccessRecord], names: dict[str, str]) -> Sample:
    """Who answered these requests; ``elsewhere`` is a replica that is not in ``names``."""
    good = [names.get(upstream_address(r), "elsewhere") for r in records if r.code == 200]
    return Sample(Counter(good), len(records) - len(good), len(records), tuple(good))


def began_at(record: AccessRecord) -> float:
    """When the request began, in seconds since 1970."""
    return datetime.fromisoformat(record.time).timestamp()


def version_that_answers(mesh: Mesh) -> str:
    """The version of svcb that one more payment, of no run, met; empty where it met none."""
    answer = mesh.curl("svca", "http://svca/pay")
    return str(json.loads(answer.body)["svcb_version"]) if answer.status == 200 else ""
