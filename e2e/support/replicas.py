"""Which replica answered, by the access log of the sidecar that chose it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from meshproof.mesh import AccessRecord, Mesh
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


def sample_of(records: Sequence[AccessRecord], names: dict[str, str]) -> Sample:
    """Who answered these requests; ``elsewhere`` is a replica that is not in ``names``."""
    good = [names.get(upstream_address(r), "elsewhere") for r in records if r.code == 200]
    return Sample(Counter(good), len(records) - len(good), len(records), tuple(good))


def began_at(record: AccessRecord) -> float:
    """When the request began, in seconds since 1970."""
    return datetime.fromisoformat(record.time).timestamp()
