"""Leases on changes that must not outlive the process that made them: the mesh undoes them.

A client takes a lease by name and keeps its connection open. The kernel closes the connection
however the client ends, SIGKILL included. Then the mesh waits ``grace`` seconds for another
process to take the same lease, and otherwise undoes the change.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from meshproof.errors import MeshproofError, UsageError

_log = logging.getLogger("meshproof")
_RETRY = 1.0
"""Seconds between two attempts to undo."""

Undo = Callable[[], Awaitable[object]]


@dataclass
class _Lease:
    undo: Undo
    grace: float
    expiry: asyncio.Task[None] | None = field(default=None)
    """Waits for another holder, then undoes; None while the holder lives."""


class Leases:
    """Use from one event loop."""

    def __init__(self) -> None:
        self._leases: dict[str, _Lease] = {}

    def take(self, name: str, undo: Undo, grace: float) -> None:
        """Raises UsageError while another holder of that name lives."""
        former = self._leases.get(name)
        if former is not None and former.expiry is None:
            raise UsageError(f"{name} is under way already, by another process")
        if former is not None and former.expiry is not None:
            former.expiry.cancel()
        self._leases[name] = _Lease(undo, grace)

    def release(self, name: str) -> None:
        """The holder is done: nothing is to be undone."""
        self._leases.pop(name, None)

    def drop(self, name: str) -> None:
        """The holder is gone without a release."""
        lease = self._leases.get(name)
        if lease is not None and lease.expiry is None:
            lease.expiry = asyncio.create_task(self._expire(name, lease))

    async def _expire(self, name: str, lease: _Lease) -> None:
        await asyncio.sleep(lease.grace)
        while True:
            try:
                await lease.undo()
            except MeshproofError as error:
                _log.warning("%s is left by its process and not undone yet: %s", name, error)
                await asyncio.sleep(_RETRY)
                continue
            _log.warning("%s was left by its process and is undone", name)
            self._leases.pop(name, None)
            return

    def close(self) -> None:
        """The mesh ends: there is nothing to undo any more."""
        for lease in self._leases.values():
            if lease.expiry is not None:
                lease.expiry.cancel()
        self._leases.clear()
