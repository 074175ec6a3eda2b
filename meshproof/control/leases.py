"""Changes that must not outlive who made them: the mesh undoes them when their maker is gone.

A client takes a hold by name and keeps its connection open; the kernel closes that however the
client ends, SIGKILL included. Then the mesh waits ``grace`` seconds for someone to take the same
hold again, and otherwise does what the hold says.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from meshproof.errors import MeshproofError, UsageError

_log = logging.getLogger("meshproof")
_AGAIN = 1.0
"""Seconds between two tries to undo."""

Undo = Callable[[], Awaitable[object]]


@dataclass
class _Hold:
    undo: Undo
    grace: float
    orphaned: asyncio.Task[None] | None = field(default=None)
    """Waits for an heir, then undoes; None while the holder lives."""


class Leases:
    """Use from one event loop."""

    def __init__(self) -> None:
        self._holds: dict[str, _Hold] = {}

    def take(self, name: str, undo: Undo, grace: float) -> None:
        """Raises UsageError while another holder of that name lives."""
        former = self._holds.get(name)
        if former is not None and former.orphaned is None:
            raise UsageError(f"{name} is under way already, by another process")
        if former is not None and former.orphaned is not None:
            former.orphaned.cancel()
        self._holds[name] = _Hold(undo, grace)

    def release(self, name: str) -> None:
        """The holder says that nothing is to be undone."""
        self._holds.pop(name, None)

    def drop(self, name: str) -> None:
        """The holder is gone without a word."""
        hold = self._holds.get(name)
        if hold is not None and hold.orphaned is None:
            hold.orphaned = asyncio.create_task(self._orphaned(name, hold))

    async def _orphaned(self, name: str, hold: _Hold) -> None:
        await asyncio.sleep(hold.grace)
        while True:
            try:
                await hold.undo()
            except MeshproofError as error:
                _log.warning("%s is left by its process and not undone yet: %s", name, error)
                await asyncio.sleep(_AGAIN)
                continue
            _log.warning("%s was left by its process and is undone", name)
            self._holds.pop(name, None)
            return

    def close(self) -> None:
        """The mesh ends: nothing is left to undo."""
        for hold in self._holds.values():
            if hold.orphaned is not None:
                hold.orphaned.cancel()
        self._holds.clear()
