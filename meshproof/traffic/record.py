"""One request of a load and what came back, as the load process recorded it. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Record:
    """One request of a run and its answer; the same as JSON is one line of the record file."""

    time: float
    """When it was sent, in seconds of the wall clock."""
    elapsed: float
    """Seconds until its answer was complete, or until it failed."""
    status: int
    """The answer's HTTP status; 0 where there was none, or where its body broke off."""
    error: str = ""
    """Why there was no answer, or why its body could not be read."""
    version: str = ""
    """The version that answered; empty where the answer named none."""
    trace_id: str = ""
    """As the answer named it; empty where it named none."""
    number: int = 0
    """1, 2, ... in the order of sending, in its load process; 0 where nobody counted."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else the app's locustfile reads from an answer; plain JSON values."""

    @property
    def answered(self) -> bool:
        """Status 200 with a body that the locustfile could read."""
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
