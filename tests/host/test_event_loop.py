"""The event loop of a mesh: nothing of it is left when it is closed."""

from __future__ import annotations

import asyncio

from meshproof.host.event_loop import LoopThread


def test_what_begins_while_it_ends_is_ended_too() -> None:
    """As a connection that a server takes at that moment."""
    ends: list[str] = []

    async def sleep(name: str) -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            ends.append(name)
            if name == "first":
                later.append(asyncio.create_task(sleep("second")))

    later: list[asyncio.Task[None]] = []
    loop = LoopThread("test")

    async def begin() -> None:
        later.append(asyncio.create_task(sleep("first")))
        await asyncio.sleep(0)

    loop.run(begin())
    loop.close()
    assert [task.done() for task in later] == [True, True]
    assert ends == ["first", "second"]
