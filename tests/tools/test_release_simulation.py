"""The error rates of docs/release.md, on a small scale with fixed seeds.

The bounds are what 40 releases can tell: of the stated rates (good ones rolled back at most 1 %,
harmful ones released at most 5 %) more would happen in fewer than one seed of a thousand.
"""

from __future__ import annotations

from tools.release_simulation import Scenario, SimulationResult, Version, simulate

RELEASES = 40
STEPS = (10, 50, 100)


def outcomes(old: Version, new: Version) -> list[SimulationResult]:
    scenario = Scenario("", old, new)
    return [simulate(scenario, seed, STEPS) for seed in range(RELEASES)]


def released(results: list[SimulationResult]) -> int:
    return sum(outcome.released for outcome in results)


def test_good_versions_are_released() -> None:
    assert released(outcomes(Version(), Version())) >= RELEASES - 3


def test_a_version_that_fails_two_percent_is_rolled_back() -> None:
    results = outcomes(Version(), Version(failing=0.02))
    assert released(results) <= 6
    assert 0 < max(outcome.hurt for outcome in results) < 100


def test_a_version_fifty_milliseconds_slower_is_rolled_back_at_once() -> None:
    results = outcomes(Version(), Version(slower_ms=50))
    assert released(results) == 0
    assert max(outcome.calls for outcome in results) < 500


def test_equal_seeds_give_equal_outcomes() -> None:
    scenario = Scenario("", Version(), Version(failing=0.02), stalls=True)
    assert simulate(scenario, 7, STEPS) == simulate(scenario, 7, STEPS)
