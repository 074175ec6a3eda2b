"""Which replica answered: read from the access log of the sidecar that chose it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from meshproof.mesh import AccessRecord, Mesh
from meshproof.verdicts.sample import Sample


def names(mesh: Mesh) -> dict[str, str]:
    """Address -> replica, of those that are there now."""
    return {r.address: r.name for r in mesh.status().replicas}


def chosen(log: Iterable[AccessRecord], caller: str, app: str) -> list[AccessRecord]:
    """What a workload's sidecars sent to a service, in the order in which it began."""
    found = [
        r
        for r in log
        if r.direction == "outbound"
        and r.sidecar.startswith(caller)
        and f"|{app}." in r.upstream_cluster
    ]
    return sorted(found, key=lambda r: r.time)


def address(record: AccessRecord) -> str:
    return record.upstream_host.rpartition(":")[0]


def shares(records: Sequence[AccessRecord], known: dict[str, str]) -> Sample:
    """Who answered these requests; one that went to no replica known is ``elsewhere``."""
    good = [known.get(address(r), "elsewhere") for r in records if r.code == 200]
    return Sample(Counter(good), len(records) - len(good), len(records), tuple(good))


def when(record: AccessRecord) -> float:
    """When the request began, in seconds since 1970."""
    return datetime.fromisoformat(record.time).timestamp()
