"""Who answered one run's requests, with nothing dropped; and whether that is evidence at all."""

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
    """Versions in the order in which the requests were sent, where that is known. Not the order of
    the answers: where one version is slower, its answers come in blocks although draws are
    independent (measured: runs test z 0.4 by sending, -12 by answering)."""

    def __post_init__(self) -> None:
        if min([self.failed, self.sent, *self.counts.values()]) < 0:
            raise ValueError(f"counts cannot be negative: {self}")

    @property
    def answered(self) -> int:
        return sum(self.counts.values())

    def problems(self, failed_allowed: int = 0) -> list[str]:
        """What makes this sample no evidence: failures, and requests unaccounted for."""
        found = []
        if self.sent != self.answered + self.failed:
            found.append(
                f"{self.sent} sent is not {self.answered} answered + {self.failed} failed:"
                " requests are unaccounted for"
            )
        if self.failed > failed_allowed:
            found.append(f"{self.failed} requests failed; allowed {failed_allowed}")
        if self.sequence and len(self.sequence) != self.answered:
            found.append(f"the sequence has {len(self.sequence)} of {self.answered} answers")
        return found
