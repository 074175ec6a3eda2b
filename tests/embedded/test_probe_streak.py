"""How many results in a row a probe needs, and that the app counts them from its start."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from meshproof.embedded.pod.app_process import AppProcess
from meshproof.embedded.pod.probe_streak import ProbeStreak
from meshproof.embedded.pod.workload import Probe


@pytest.mark.parametrize(
    ("results", "decisions"),
    [
        ("++", [None, True]),
        ("+-+", [None, None, None]),
        ("---", [None, None, False]),
        ("++--++", [None, True, None, None, None, True]),
        ("---+++", [None, None, False, None, True, True]),
    ],
)
def test_equal_results_in_a_row(results: str, decisions: list[bool | None]) -> None:
    streak = ProbeStreak(failures=3, successes=2)
    assert [streak.decide(failed=result == "-") for result in results] == decisions


def test_an_app_is_ready_after_enough_successes_in_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    reasons = iter(["not yet", "", "not yet", "", "", ""])

    async def check(_self: AppProcess, _probe: Probe) -> str:
        return next(reasons)

    monkeypatch.setattr(AppProcess, "check", check)
    nothing: Any = None
    app = AppProcess(nothing, nothing, nothing)

    async def states() -> list[bool]:
        probe = Probe(kind="http", successes=3)
        return [bool(await app._check_readiness_probe(probe)) for _ in range(6)]

    assert asyncio.run(states()) == [True, True, True, True, True, False]
