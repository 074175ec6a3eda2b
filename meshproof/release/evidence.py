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
    """What a release needs from a mesh, in this process or behind a socket."""

    def apply(self, text: str) -> float:
        """Make YAML live everywhere; returns seconds."""
        ...

    def tail(self, host: str, cursor: str) -> tuple[Iterable[AccessRecord], str]:
        """The calls to a host since ``cursor``, and the next cursor; ``now`` is the current end."""
        ...


class _VersionCalls:
    def __init__(self) -> None:
        self.waits: list[float] = []
        self.failed = 0


class StepEvidence:
    """Begins at a cursor and grows with each ``read``."""

    def __init__(self, mesh: ReleaseMesh, rule: WeightedRule, cursor: str) -> None:
        """The cursor ``now`` begins at the current end of the logs."""
        self._mesh, self._host = mesh, rule.host
        self._versions = {subset: version for version, subset in rule.subsets.items()}
        self._calls = {version: _VersionCalls() for version in rule.subsets}
        self.begin = mesh.tail(self._host, cursor)[1] if cursor == "now" else cursor
        self.end = self.begin
        """The cursor up to which the logs were read."""

    def read(self) -> int:
        """Read what was logged since the last time; returns how many calls that was."""
        records, self.end = self._mesh.tail(self._host, self.end)
        return sum(self._add(record) for record in records)

    def _add(self, record: AccessRecord) -> bool:
        version = self._versions.get(cluster_subset(record))
        if version is None:  # a route that names no subset: which version answered is unknown
            return False
        calls = self._calls[version]
        if 0 < record.code < 500:
            calls.waits.append(record.duration_ms)
        else:
            calls.failed += 1
        return True

    def calls(self, version: str) -> Calls:
        """A 5xx or no answer is a failure; waits are the caller's milliseconds."""
        calls = self._calls[version]
        return Calls(calls.waits, calls.failed)

    def impact(self, old: str, new: str, margin_ms: float) -> Impact:
        """The new version's calls that went badly."""
        new_calls, old_calls = self.calls(new), self.calls(old)
        limit = old_calls.median() + margin_ms
        slowed = sum(wait > limit for wait in new_calls.waits) if old_calls.waits else 0
        return Impact(new_calls.total, new_calls.failed, slowed)
