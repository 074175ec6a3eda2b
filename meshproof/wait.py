"""The one way to wait: for a condition, with a deadline, and the last reason in the message."""

from __future__ import annotations

import time
from collections.abc import Callable

from meshproof.errors import NotLive


def until(
    reason: Callable[[], str],
    what: str,
    *,
    within: float,
    every: float = 0.2,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Returns when ``reason`` says nothing any more. It is asked at least once.

    Raises NotLive with ``what``, the seconds, and the last reason.
    """
    deadline = clock() + within
    while last := reason():
        if clock() >= deadline:
            raise NotLive(f"{what}: not within {within:g} s; last: {last}")
        sleep(every)
