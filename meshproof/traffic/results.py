"""The results of a load: its records, checked against Locust's own totals."""

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
    """The load itself failed, so there is no evidence either way."""


@dataclass(frozen=True, slots=True)
class Results:
    """Every request of one run, in the order in which they were sent."""

    run_id: str
    sent: int
    records: tuple[Record, ...]
    counted: tuple[str, ...] = ()
    """Fields of ``Record.extra`` that the locustfile wants counted in a summary."""

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

    def counts(self) -> dict[str, int]:
        """Of each field that is ``counted``: in how many answers it is true."""
        return {name: sum(bool(r.extra.get(name)) for r in self.answered) for name in self.counted}

    def sample(self) -> Sample:
        """Who answered, for a split verdict. Failed requests are counted as such."""
        sequence = tuple(r.version or "no version" for r in self.answered)
        return Sample(dict(sorted(Counter(sequence).items())), self.failed, self.sent, sequence)

    def trace_ids(self) -> Sequence[str]:
        """One per request, in order; empty where the answer named none."""
        return [r.trace_id for r in self.records]


def read(run_id: str, records: Path, stats: Path) -> Results:
    """Read the files of a finished load.

    Raises LoadError where the two accounts differ: the records, one per line, and Locust's totals.
    """
    if not stats.exists():
        raise LoadError(f"{stats}: Locust ended without totals; see the log beside it")
    totals = json.loads(stats.read_text(encoding="utf-8"))
    results = read_unchecked(run_id, records, stats)
    n, failed = len(results.records), results.failed
    if not totals["sent"] == totals["requests"] == n or totals["failures"] != failed:
        raise LoadError(
            f"{records}: {n} records, {failed} of them failed; Locust says"
            f" {totals['sent']} sent, {totals['requests']} done, {totals['failures']} failed"
        )
    return results


def read_unchecked(run_id: str, records: Path, stats: Path | None = None) -> Results:
    """The records alone. ``stats`` says only which fields are counted, if that file exists."""
    lines = records.read_text(encoding="utf-8").splitlines() if records.exists() else []
    ordered = sorted((Record.from_dict(json.loads(line)) for line in lines), key=lambda r: r.time)
    counted: Sequence[str] = ()
    if stats and stats.exists():
        counted = json.loads(stats.read_text(encoding="utf-8")).get("counted", ())
    return Results(run_id, len(ordered), tuple(ordered), tuple(counted))
