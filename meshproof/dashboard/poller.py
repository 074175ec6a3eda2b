"""Polls a running mesh once a second by its control socket, and keeps what the page shows.

It never stops: a mesh that has ended is shown as not running, and found again when one of the same
name is up.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from meshproof.control.client import Client
from meshproof.dashboard import replicas
from meshproof.dashboard.history import History
from meshproof.dashboard.view import build_view, json_safe, not_running_view
from meshproof.errors import MeshproofError
from meshproof.telemetry.traffic_counts import read, serving

Json = dict[str, Any]
INTERVAL = 1.0
"""Seconds between two polls."""
_EVENTS = 500


class MeshPoller:
    """Use from one event loop; ``run`` is its life."""

    def __init__(self, name: str, interval: float = INTERVAL) -> None:
        self.name, self._interval = name, interval
        self.client: Client | None = None
        self.history = History()
        self.events: list[Json] = []
        self.view: Json = not_running_view(name, "looking for it", ())
        self._polled = asyncio.Condition()
        self._last_usage: tuple[float, dict[replicas.Key, Json]] = (0.0, {})

    async def run(self) -> None:
        """Poll until cancelled."""
        while True:
            began = time.monotonic()
            try:
                self.view = await asyncio.to_thread(self._poll)
            except MeshproofError as error:
                self.client = None
                self.view = not_running_view(self.name, str(error), self.events)
            async with self._polled:
                self._polled.notify_all()
            await asyncio.sleep(max(0.0, self._interval - (time.monotonic() - began)))

    async def next(self) -> Json:
        """The view of the next poll."""
        async with self._polled:
            await self._polled.wait()
        return self.view

    def mesh(self) -> Client:
        """The mesh that answered last. Raises MeshproofError if none does."""
        return self.client or Client.find(self.name)

    def _poll(self) -> Json:
        """One poll. It blocks: call it in a thread. Raises MeshproofError."""
        client = self._find_client()
        text, at = client.requests(), time.time()
        status, topology = client.status(), client.topology()
        reading = read(text)
        topology = {"serving": serving(reading), **topology}
        self.history.add(at, reading, topology["serving"])
        usage, now = replicas.by_process(client.usage()), time.monotonic()
        earlier, before = self._last_usage
        self._last_usage = (now, usage)
        rows = replicas.build_table(status["replicas"], before, usage, now - earlier)
        last = self.events[-1]["number"] if self.events else 0
        self.events = [*self.events, *client.events(last)][-_EVENTS:]
        view: Json = json_safe(build_view(status, topology, self.history, rows, self.events))
        return view

    def _find_client(self) -> Client:
        """The mesh of that name; everything starts anew if it is not the same as before."""
        client = Client.find(self.name)
        if self.client is None or client.entry != self.client.entry:
            self.client, self.history, self.events = client, History(), []
            self._last_usage = (0.0, {})
        return client
