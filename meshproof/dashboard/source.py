"""Asks a running mesh each second, by its control socket, and keeps what the page shows.

Reads on in all circumstances: a mesh that has ended is shown as gone, and found again when one of
the same name is up.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from meshproof.control.client import Client
from meshproof.dashboard import replicas
from meshproof.dashboard.history import History
from meshproof.dashboard.view import finite, gone, view
from meshproof.errors import MeshproofError
from meshproof.telemetry.traffic_counts import read, serving

Json = dict[str, Any]
EVERY = 1.0
"""Seconds between two looks."""
_EVENTS = 500


class Source:
    """Use from one event loop; ``run`` is its life."""

    def __init__(self, name: str, every: float = EVERY) -> None:
        self.name, self._every = name, every
        self.client: Client | None = None
        self.history = History()
        self.events: list[Json] = []
        self.view: Json = gone(name, "looking for it", ())
        self._seen = asyncio.Condition()
        self._looked: tuple[float, dict[replicas.Key, Json]] = (0.0, {})

    async def run(self) -> None:
        """Look again and again until cancelled."""
        while True:
            began = time.monotonic()
            try:
                self.view = await asyncio.to_thread(self._look)
            except MeshproofError as error:
                self.client = None
                self.view = gone(self.name, str(error), self.events)
            async with self._seen:
                self._seen.notify_all()
            await asyncio.sleep(max(0.0, self._every - (time.monotonic() - began)))

    async def next(self) -> Json:
        """The view of the next look."""
        async with self._seen:
            await self._seen.wait()
        return self.view

    def mesh(self) -> Client:
        """The mesh that answered last. Raises MeshproofError where none does."""
        return self.client or Client.find(self.name)

    def _look(self) -> Json:
        """Blocking, so that it is called in a thread. Raises MeshproofError."""
        client = self._found()
        text, at = client.requests(), time.time()
        status, topology = client.status(), client.topology()
        reading = read(text)
        topology = {"serving": serving(reading), **topology}
        self.history.add(at, reading, topology["serving"])
        used, when = replicas.used(client.usage()), time.monotonic()
        before, earlier = self._looked[1], self._looked[0]
        self._looked = (when, used)
        rows = replicas.table(status["replicas"], before, used, when - earlier)
        last = self.events[-1]["number"] if self.events else 0
        self.events = [*self.events, *client.events(last)][-_EVENTS:]
        found: Json = finite(view(status, topology, self.history, rows, self.events))
        return found

    def _found(self) -> Client:
        """The mesh of the name; where it is another one than before, all is begun anew."""
        client = Client.find(self.name)
        if self.client is None or client.entry != self.client.entry:
            self.client, self.history, self.events = client, History(), []
            self._looked = (0.0, {})
        return client
