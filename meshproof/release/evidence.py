"""The calls of one step, as the callers' sidecars logged them, version by version."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from meshproof.mesh import AccessRecord
from meshproof.release.compare import Calls
from meshproof.release.journal import Impact
from meshproof.release.weights import WeightedRule
from meshproof.verdicts.access_records import cluster_subset


class ReleaseMesh(Protocol):
    """What a release asks of a mesh, in this process or beyond a socket."""

    def apply(self, text: str) -> float:
        """Make YAML live everywhere; returns seconds."""
        ...

    def tail(self, host: str, cursor: str) -> tuple[Iterable[AccessRecord], str]:
        """Calls at a host since ``cursor``, and the next one; ``now`` is the present end."""
        ...


class _Side:
    def __init__(self) -> None:
        self.waits: list[float] = []
        self.failed = 0


class StepEvidence:
    """Begins at a cursor and grows with each ``read``."""

    def __init__(self, mesh: ReleaseMesh, rule: WeightedRule, cursor: str) -> None:
        """``now`` begins at the present end of the logs."""
        self._mesh, self._host = mesh, rule.host
        self._versions = {subset: version for version, subset in rule.subsets.items()}
        self._sides = {version: _Side() for version in rule.subsets}
        self.begin = mesh.tail(self._host, cursor)[1] if cursor == "now" else cursor
        self.end = self.begin
        """As far as it was read."""

    def read(self) -> int:
        """Take in what was logged since the last reading; how many calls that was."""
        records, self.end = self._mesh.tail(self._host, self.end)
        return sum(self._take(record) for record in records)

    def _take(self, record: AccessRecord) -> bool:
        version = self._versions.get(cluster_subset(record))
        if version is None:  # a route that names no subset: whoever answered is not known
            return False
        side = self._sides[version]
        if 0 < record.code < 500:
            side.waits.append(record.duration_ms)
        else:
            side.failed += 1
        return True

    def calls(self, version: str) -> Calls:
        """Failed is a 5xx, or no answer at all; the others' milliseconds are the caller's."""
        side = self._sides[version]
        return Calls(side.waits, side.failed)

    def hurt(self, old: str, new: str, margin_ms: float) -> Impact:
        """The new version's calls that went badly."""
        theirs, before = self.calls(new), self.calls(old)
        limit = before.median() + margin_ms
        slowed = sum(wait > limit for wait in theirs.waits) if before.waits else 0
        return Impact(theirs.total, theirs.failed, slowed)
