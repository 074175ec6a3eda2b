"""Renewed at half the lifetime by the wall clock, and again soon where that failed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from meshproof.embedded.config import certificate_renewal
from meshproof.embedded.config.certificate_authority import LIFETIME
from meshproof.errors import MeshproofError

HALF = LIFETIME.total_seconds() / 2


class Over(Exception):
    pass


def renewed_at(
    monkeypatch: pytest.MonkeyPatch, looks: list[float], failing: Callable[[int], bool]
) -> list[float]:
    """The times of all tries to renew, when the clock says ``looks`` at one look after another."""
    clock, tries = iter([0.0, *looks]), list[float]()
    now = 0.0

    async def sleep(_seconds: float) -> None:
        nonlocal now
        try:
            now = next(clock)
        except StopIteration:
            raise Over from None

    async def renew() -> None:
        tries.append(now)
        if failing(len(tries)):
            raise MeshproofError("a sidecar stayed silent")

    monkeypatch.setattr(asyncio, "sleep", sleep)
    now = next(clock)
    with pytest.raises(Over):
        asyncio.run(certificate_renewal.keep_renewed(renew, lambda: now))
    return tries


def test_at_half_of_the_lifetime_and_not_before(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = [60.0, HALF - 1, HALF + 1, HALF + 61, 2 * HALF, 2 * HALF + 2]
    assert renewed_at(monkeypatch, looks, lambda _: False) == [HALF + 1, 2 * HALF + 2]


def test_a_machine_that_slept_renews_at_its_first_look(monkeypatch: pytest.MonkeyPatch) -> None:
    assert renewed_at(monkeypatch, [60.0, 9 * HALF, 9 * HALF + 60], lambda _: False) == [9 * HALF]


def test_what_failed_is_tried_again_at_the_next_look(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = [HALF, HALF + 60, HALF + 120, HALF + 180]
    assert renewed_at(monkeypatch, looks, lambda n: n < 3) == [HALF, HALF + 60, HALF + 120]
