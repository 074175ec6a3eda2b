"""The event log of a mesh: every change that was requested, made or refused.

Kept in memory, bounded; the oldest go first. A number is never given twice, so a reader asks for
events newer than the last one it has.
"""

from __future__ import annotations

import collections
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from meshproof.control.wire import Json, encode_error
from meshproof.mesh import Applied

T = TypeVar("T")
CAPACITY = 500
_ACKS = 200
"""Acknowledgements kept of one change; of more sidecars the slowest are kept."""


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """A change as it was requested."""

    verb: str
    """up, apply, delete, reset, scale, fault or undo."""
    subject: str
    """The files, the workload with its number, the fault: one short line."""


@dataclass(frozen=True, slots=True)
class Event:
    """A change and its outcome."""

    number: int
    request: ChangeRequest
    at: float
    """When it was requested, in Unix seconds."""
    seconds: float
    """Until it was live everywhere, or had failed."""
    applied: Json | None
    """``Applied.as_dict()``; None for a fault, which has no such evidence, and for a failure."""
    error: Json | None
    """``wire.encode_error``: class, message and problems; None for a success."""

    def as_dict(self) -> Json:
        applied = self.applied or {}
        acks = sorted(applied.get("acks", ()), key=lambda ack: -ack["seconds"])
        return {
            "number": self.number,
            "verb": self.request.verb,
            "subject": self.request.subject,
            "at": self.at,
            "seconds": self.seconds,
            "resources": applied.get("resources", []),
            "acks": acks[:_ACKS],
            "sidecars": len({ack["sidecar"] for ack in acks}),
            "warnings": applied.get("warnings", []),
            "error": self.error,
        }


class EventLog:
    """Changes as a control server (``record``) or a process of its own (``record_call``) makes
    them. Use from one event loop, or one change at a time."""

    def __init__(self, capacity: int = CAPACITY, clock: Callable[[], float] = time.time) -> None:
        self._events: collections.deque[Event] = collections.deque(maxlen=capacity)
        self._clock = clock
        self._last = 0

    async def record(self, request: ChangeRequest, change: Awaitable[Any]) -> Any:
        """Await a change and record its outcome; returns or raises what the change does."""
        with self._recording(request) as results:
            results.append(await change)
        return results[0]

    def record_call(self, request: ChangeRequest, change: Callable[[], T]) -> T:
        """The same for a change that is a plain call."""
        with self._recording(request) as results:
            results.append(change())
        result: T = results[0]
        return result

    @contextlib.contextmanager
    def _recording(self, request: ChangeRequest) -> Iterator[list[Any]]:
        """Records the outcome of the block, which appends its result to the list."""
        at, began, results = self._clock(), time.monotonic(), list[Any]()
        try:
            yield results
        except Exception as error:
            self._add(request, at, time.monotonic() - began, None, encode_error(error)[1])
            raise
        applied = results[0] if isinstance(results[0], Applied) else None
        seconds = applied.seconds if applied else time.monotonic() - began
        self._add(request, at, seconds, applied.as_dict() if applied else None, None)

    def record_start(self, applied: Applied) -> None:
        """The first change: the mesh is up, as of now."""
        at = self._clock() - applied.seconds
        self._add(ChangeRequest("up", ""), at, applied.seconds, applied.as_dict(), None)

    def _add(
        self,
        request: ChangeRequest,
        at: float,
        seconds: float,
        applied: Json | None,
        error: Json | None,
    ) -> None:
        self._last += 1
        self._events.append(Event(self._last, request, at, seconds, applied, error))

    @property
    def last(self) -> int:
        """The number of the newest event; 0 before the first."""
        return self._last

    def since(self, number: int) -> list[Event]:
        """Those with a higher number, oldest first."""
        return [event for event in self._events if event.number > number]
