"""Who answered the requests of one run, with nothing dropped, and whether that is evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """The versions that answered one run's requests. Raises ValueError for negative counts."""

    counts: Mapping[str, int]
    """Version -> good answers."""
    failed: int
    """Requests without a good answer; they are in no version's count."""
    sent: int
    sequence: tuple[str, ...] = ()
    """Versions in the order in which the requests were sent, where that is known. The order of the
    answers would not do: a slower version's answers come in blocks although the draws are
    independent (measured: runs test z 0.4 in order of sending, -12 in order of answering)."""

    def __post_init__(self) -> None:
        if min([self.failed, self.sent, *self.counts.values()]) < 0:
            raise ValueError(f"counts cannot be negative: {self}")

    @property
    def answered(self) -> int:
        return sum(self.counts.values())

    def problems(self, failed_allowed: int = 0) -> list[str]:
        """What makes this sample no evidence: failures, and requests unaccounted for."""
        problems = []
        if self.sent != self.answered + self.failed:
            problems.append(
                f"{self.sent} sent is not {self.answered} answered + {self.failed} failed:"
                " requests are unaccounted for"
            )
        if self.failed > failed_allowed:
            problems.append(f"{self.failed} requests failed; allowed {failed_allowed}")
        if self.sequence and len(self.sequence) != self.answered:
            problems.append(f"the sequence has {len(self.sequence)} of {self.answered} answers")
        return problems
