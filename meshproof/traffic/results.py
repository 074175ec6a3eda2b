"""What a load brought: its records, and Locust's own totals to check them against."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from meshproof.errors import MeshproofError
from meshproof.traffic.record import Record
from meshproof.verdicts.sample import Sample


class LoadError(MeshproofError):
    """The load itself went wrong, so there is no evidence either way."""


@dataclass(frozen=True, slots=True)
class Results:
    """Every request of one run, in the order in which they were sent."""

    run_id: str
    sent: int
    records: tuple[Record, ...]

    @property
    def answered(self) -> tuple[Record, ...]:
        return tuple(r for r in self.records if r.answered)

    @property
    def failed(self) -> int:
        return self.sent - len(self.answered)

    @property
    def seconds(self) -> float:
        """From the first request to the last answer; 0 without requests."""
        if not self.records:
            return 0.0
        return max(r.end for r in self.records) - self.records[0].time

    @property
    def rate(self) -> float:
        """Requests a second; 0 without requests."""
        return len(self.records) / self.seconds if self.seconds else 0.0

    def sample(self) -> Sample:
        """Who answered, for a split verdict. Failed requests are counted as such."""
        sequence = tuple(r.version or "no version" for r in self.answered)
        return Sample(dict(sorted(Counter(sequence).items())), self.failed, self.sent, sequence)

    def trace_ids(self) -> Sequence[str]:
        """One a request, in order; empty where the answer told none."""
        return [r.trace_id for r in self.records]


def read(run_id: str, records: Path, stats: Path) -> Results:
    """Read what a finished load wrote.

    Raises LoadError when the two accounts differ: records a line each, and Locust's totals.
    """
    if not stats.exists():
        raise LoadError(f"{stats}: Locust ended without totals; see the log beside it")
    totals = json.loads(stats.read_text(encoding="utf-8"))
    found = recorded(run_id, records).records
    failures = sum(not r.answered for r in found)
    if not totals["sent"] == totals["requests"] == len(found) or totals["failures"] != failures:
        raise LoadError(
            f"{records}: {len(found)} records, {failures} of them failed; Locust says"
            f" {totals['sent']} sent, {totals['requests']} done, {totals['failures']} failed"
        )
    return Results(run_id, totals["sent"], found)


def recorded(run_id: str, records: Path) -> Results:
    """The records alone, with no other account to check them against."""
    lines = records.read_text(encoding="utf-8").splitlines() if records.exists() else []
    found = sorted((Record.from_dict(json.loads(line)) for line in lines), key=lambda r: r.time)
    return Results(run_id, len(found), tuple(found))
