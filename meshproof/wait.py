"""The one way to wait: for a condition, with a deadline, and the last reason in the message."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from meshproof.errors import NotLive


class DeadlineExceeded(NotLive):
    """A condition did not come true in time."""

    def __init__(self, what: str, within: float, last: str) -> None:
        self.last = last
        """Why not, as the last check put it."""
        super().__init__(f"{what}: not within {within:g} s; last: {last}")


def until(
    reason: Callable[[], str],
    what: str,
    *,
    within: float,
    every: float = 0.2,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Return as soon as ``reason`` returns an empty string. It is called at least once.

    ``within`` and ``every`` are seconds. Raises DeadlineExceeded with ``what``, the seconds, and
    the last reason.
    """
    deadline = clock() + within
    while last := reason():
        if clock() >= deadline:
            raise DeadlineExceeded(what, within, last)
        sleep(every)


async def until_async(
    reason: Callable[[], Awaitable[str]],
    what: str,
    *,
    within: float,
    every: float = 0.02,
    in_a_row: int = 1,
) -> None:
    """``until`` for a coroutine: returns once ``reason`` has come back empty ``in_a_row`` times.

    A call of ``reason`` that is under way at the deadline is cancelled.
    """
    import asyncio  # noqa: PLC0415  (the command line starts quicker without)

    last, streak = "the first check has not come back", 0
    try:
        async with asyncio.timeout(within) as deadline:
            while True:
                result = await reason()
                streak = 0 if result else streak + 1
                if streak >= in_a_row:
                    return
                last = result or last
                await asyncio.sleep(every)
    except TimeoutError:
        if not deadline.expired():
            raise  # the check's own
        raise DeadlineExceeded(what, within, last) from None
