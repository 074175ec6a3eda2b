"""Waiting ends with the condition, or at its deadline with the last reason."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from meshproof.wait import DeadlineExceeded, until, until_async


def test_it_returns_as_soon_as_there_is_no_reason_left() -> None:
    reasons, slept = ["starting", "starting", ""], list[float]()
    until(lambda: reasons.pop(0), "waiting", within=10, every=0.5, sleep=slept.append)
    assert (reasons, slept) == ([], [0.5, 0.5])


def test_the_last_reason_stands_in_the_message() -> None:
    times = iter([0.0, 1.0, 2.0])
    reasons = iter(["starting", "no answer"])
    with pytest.raises(DeadlineExceeded, match="waiting for svca: not within 2 s; last: no answer"):
        until(
            lambda: next(reasons),
            "waiting for svca",
            within=2,
            clock=lambda: next(times),
            sleep=lambda _: None,
        )


def in_turn(*reasons: str) -> Callable[[], Awaitable[str]]:
    """One reason a call; then it never comes back."""
    left = list(reasons)

    async def reason() -> str:
        if not left:
            await asyncio.Event().wait()
        return left.pop(0)

    return reason


def test_a_coroutine_is_called_until_it_has_come_back_empty_so_often_in_a_row() -> None:
    reason = in_turn("busy", "", "busy", "", "")
    asyncio.run(until_async(reason, "waiting", within=20, every=0, in_a_row=2))
    with pytest.raises(DeadlineExceeded):
        asyncio.run(until_async(reason, "waiting", within=0.01))


def test_a_check_that_hangs_is_cancelled_at_the_deadline() -> None:
    with pytest.raises(DeadlineExceeded, match=r"not within 0\.01 s; last: busy"):
        asyncio.run(until_async(in_turn("busy"), "waiting", within=0.01, every=0))
    with pytest.raises(DeadlineExceeded, match="the first check has not come back"):
        asyncio.run(until_async(in_turn(), "waiting", within=0.01))


def test_a_timeout_of_the_check_is_not_the_deadlines() -> None:
    async def reason() -> str:
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        asyncio.run(until_async(reason, "waiting", within=20))
