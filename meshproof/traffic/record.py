"""What one request brought back, as the load process wrote it down. Plain data, no effects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Record:
    """One request of a run and its answer; the same as JSON is one line of the record file."""

    time: float
    """When it was sent, in seconds of the wall clock."""
    elapsed: float
    """Seconds until its answer was complete, or until it failed."""
    status: int
    """The answer's HTTP status; 0 where there was none."""
    error: str = ""
    """Why there was no answer, or why its body could not be understood."""
    version: str = ""
    """The version of svcb that answered; empty where the answer named none."""
    paid: bool = False
    notified: bool = False
    reason: str = ""
    """Why it was not notified, as the caller was told."""
    message_id: str = ""
    trace_id: str = ""

    @property
    def answered(self) -> bool:
        """Status 200 with a body that could be understood. Says nothing about ``notified``."""
        return self.status == 200 and not self.error

    @property
    def end(self) -> float:
        return self.time + self.elapsed

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Record:
        """Raises TypeError for fields that no record has, and for missing ones."""
        return cls(**data)
