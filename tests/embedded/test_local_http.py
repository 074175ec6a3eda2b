"""A client of a listener that has ended."""

from __future__ import annotations

import asyncio

import pytest

from meshproof.embedded.local_http import LocalClient
from meshproof.translate.world import Address


def test_whoever_asks_what_has_ended_is_told_as_of_any_other_silence() -> None:
    async def request_once() -> None:
        client = LocalClient(Address(path="/nowhere/admin"))
        with pytest.raises(OSError, match="nowhere"):
            await client.get("/stats")
        await client.close()
        with pytest.raises(OSError, match="it has ended"):
            await client.get("/stats")

    asyncio.run(request_once())
