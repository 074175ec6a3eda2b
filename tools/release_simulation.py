"""How often the judge errs, measured: releases of simulated versions, judged as real ones are.

``python -m tools.release_simulation [RELEASES]`` prints the table of docs/release.md.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import fmean

from meshproof.release.compare import Calls
from meshproof.release.state import Phase, Plan, ReleaseState

STEPS = (1, 5, 25, 50, 100)


@dataclass(frozen=True, slots=True)
class Version:
    """A simulated version: share of failures, median and spread (of the log) of the wait."""

    failing: float = 0.0
    median_ms: float = 20.0
    spread: float = 0.4
    slower_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Scenario:
    name: str
    old: Version
    new: Version
    stalls: bool = False
    """Whether the machine stops now and then, which makes neighbouring calls of both slow."""


SCENARIOS = (
    Scenario("equal", Version(), Version()),
    Scenario("equal, both fail 1 %", Version(0.01), Version(0.01)),
    Scenario("equal, machine stalls", Version(), Version(), stalls=True),
    Scenario("5 ms slower (tolerated)", Version(), Version(slower_ms=5)),
    Scenario("fails 2 %", Version(), Version(0.02)),
    Scenario("fails 3 %, both 1 %", Version(0.01), Version(0.03)),
    Scenario("50 ms slower", Version(), Version(slower_ms=50)),
    Scenario("50 ms slower, stalls", Version(), Version(slower_ms=50), stalls=True),
    Scenario("fails 10 %", Version(), Version(0.1)),
)


@dataclass(frozen=True, slots=True)
class SimulationResult:
    """One simulated release."""

    released: bool
    calls: int
    """Of both versions, until it was over."""
    hurt: int
    """Calls that the new version failed, or answered more than the margin slower than usual."""


def simulate(scenario: Scenario, seed: int, steps: tuple[int, ...] = STEPS) -> SimulationResult:
    """Release once, to the end; equal seeds give equal outcomes."""
    draw = random.Random(seed)  # noqa: S311 (a simulation)
    state = ReleaseState(Plan("svcb", "payments", "v0.1", "v0.2", steps)).live()
    stalls = _stalls(draw) if scenario.stalls else iter(lambda: 0.0, None)
    calls = hurt = 0
    limit = scenario.old.median_ms + state.plan.limits.margin_ms
    while not state.over:
        seen = _Side(), _Side()
        before = state
        while state.phase is Phase.WATCHING and state.step == before.step:
            stall = next(stalls)
            is_new = draw.random() * 100 < state.weight
            version = scenario.new if is_new else scenario.old
            failed = seen[is_new].call(version, draw, stall)
            calls += 1
            hurt += is_new and (failed or seen[1].waits[-1] - stall > limit)
            if is_new and state.due(seen[1].total):
                state, _ = state.look(seen[0].calls(), seen[1].calls())
        state = state.live()
    return SimulationResult(state.phase is Phase.RELEASED, calls, hurt)


class _Side:
    """The calls of one version at one step."""

    def __init__(self) -> None:
        self.waits: list[float] = []
        self.failed = 0

    @property
    def total(self) -> int:
        return len(self.waits) + self.failed

    def call(self, version: Version, draw: random.Random, stall: float) -> bool:
        """One more; whether it failed."""
        failed = version.failing > 0 and draw.random() < version.failing
        if failed:
            self.failed += 1
        else:
            wait = version.median_ms * draw.lognormvariate(0, version.spread)
            self.waits.append(round(wait + version.slower_ms + stall))
        return failed

    def calls(self) -> Calls:
        return Calls(self.waits, self.failed)


def _stalls(draw: random.Random) -> Iterator[float]:
    """One in 200 calls begins a stall of 100 ms on average, which the next 20 feel too."""
    left, size = 0, 0.0
    while True:
        if left == 0 and draw.random() < 1 / 200:
            left, size = 20, draw.expovariate(1 / 100)
        left = max(0, left - 1)
        yield size if left else 0.0


def table(releases: int, say: Callable[[str], object] = print) -> None:
    """Markdown, a row a scenario."""
    say("| v0.2 against v0.1 | rolled back | calls, mean | of them to v0.2's harm, mean, most |")
    say("|---|---|---|---|")
    for number, scenario in enumerate(SCENARIOS):
        results = [simulate(scenario, number * 1_000_000 + i) for i in range(releases)]
        back = sum(not o.released for o in results)
        hurt = [o.hurt for o in results]
        say(
            f"| {scenario.name} | {back} of {releases} ({100 * back / releases:.3g} %) |"
            f" {fmean(o.calls for o in results):.0f} | {fmean(hurt):.1f}, {max(hurt)} |"
        )


if __name__ == "__main__":
    began = time.monotonic()
    table(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
    print(f"\nin {time.monotonic() - began:.0f} s", file=sys.stderr)
