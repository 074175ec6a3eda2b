"""What happened to a mesh since it is up: every change that was asked for, taken or refused.

Kept in memory, bounded; the oldest go first. A number is never given twice, so a reader asks for
what is newer than the last one it has.
"""

from __future__ import annotations

import collections
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from meshproof.control.wire import Json, error_of
from meshproof.mesh import Applied, Source

KEPT = 500
_ACKS = 200
"""Acknowledgements kept of one change; of more sidecars the slowest are kept."""


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """A change as it was asked for."""

    verb: str
    """up, apply, delete, reset, scale, fault or undo."""
    subject: str
    """The files, the workload with its number, the fault: one short line."""


@dataclass(frozen=True, slots=True)
class Event:
    """A change and what became of it."""

    number: int
    asked: ChangeRequest
    at: float
    """When it was asked for, in Unix seconds."""
    seconds: float
    """Until it was live everywhere, or had failed."""
    applied: Json | None
    """``Applied.as_dict()``; None for a fault, which has no such evidence, and for a failure."""
    error: Json | None
    """``wire.error_of``: class, message and problems; None where it went well."""

    def as_dict(self) -> Json:
        applied = self.applied or {}
        acks = sorted(applied.get("acks", ()), key=lambda ack: -ack["seconds"])
        return {
            "number": self.number,
            "verb": self.asked.verb,
            "subject": self.asked.subject,
            "at": self.at,
            "seconds": self.seconds,
            "resources": applied.get("resources", []),
            "acks": acks[:_ACKS],
            "sidecars": len({ack["sidecar"] for ack in acks}),
            "warnings": applied.get("warnings", []),
            "error": self.error,
        }


class Events:
    """Use from one event loop."""

    def __init__(self, kept: int = KEPT, clock: Callable[[], float] = time.time) -> None:
        self._events: collections.deque[Event] = collections.deque(maxlen=kept)
        self._clock = clock
        self._last = 0

    async def watch(self, asked: ChangeRequest, change: Awaitable[Any]) -> Any:
        """Await a change and remember it, whatever it brings; returns or raises what it does."""
        at, began = self._clock(), time.monotonic()
        try:
            result = await change
        except Exception as failure:
            self._add(asked, at, time.monotonic() - began, None, error_of(failure)[1])
            raise
        applied = result.as_dict() if isinstance(result, Applied) else None
        seconds = result.seconds if isinstance(result, Applied) else time.monotonic() - began
        self._add(asked, at, seconds, applied, None)
        return result

    def started(self, applied: Applied) -> None:
        """The first change: the mesh is up, as of now."""
        at = self._clock() - applied.seconds
        self._add(ChangeRequest("up", ""), at, applied.seconds, applied.as_dict(), None)

    def _add(
        self,
        asked: ChangeRequest,
        at: float,
        seconds: float,
        applied: Json | None,
        error: Json | None,
    ) -> None:
        self._last += 1
        self._events.append(Event(self._last, asked, at, seconds, applied, error))

    def since(self, number: int) -> list[Event]:
        """Those with a higher number, oldest first."""
        return [event for event in self._events if event.number > number]


def files(sources: Sequence[Source]) -> str:
    """The files of a change, for ``ChangeRequest.subject``."""
    return ", ".join(source.file for source in sources)
