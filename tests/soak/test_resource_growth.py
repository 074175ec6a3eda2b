from __future__ import annotations

import pytest

from soak.resource_growth import MEGABYTE, ResourceSample, bounded

BASE = ResourceSample(0, 70 * MEGABYTE, {1: 40 * MEGABYTE, 2: 40 * MEGABYTE}, 15, 60, 9)


def run(harness: float = 0, envoy: float = 0) -> list[ResourceSample]:
    """Ten samples; so many megabytes more with each."""
    return [
        ResourceSample(n, BASE.harness + n * harness * MEGABYTE,
               {1: 40 * MEGABYTE + n * envoy * MEGABYTE, 2: 40 * MEGABYTE}, 15, 60, 9)
        for n in range(10)
    ]  # fmt: skip


def test_steady_is_bounded() -> None:
    assert bounded(run(), BASE, BASE).passed


@pytest.mark.parametrize(("harness", "envoy"), [(20, 0), (0, 8)])
def test_what_grows_without_end_is_found(harness: float, envoy: float) -> None:
    (problem,) = bounded(run(harness, envoy), BASE, BASE).problems
    assert problem.startswith("harness_bytes" if harness else "envoy_bytes")


def test_an_envoy_that_was_started_again_is_another() -> None:
    samples = [*run(), ResourceSample(11, BASE.harness, {3: 90 * MEGABYTE}, 15, 60, 9)]
    assert bounded(samples, BASE, BASE).passed


def test_descriptors_threads_and_processes_that_stay_are_found() -> None:
    after = ResourceSample(9, BASE.harness, {}, 16, 90, 19)
    assert len(bounded(run(), BASE, after).problems) == 3


def test_no_sample_is_no_pass() -> None:
    assert not bounded([], BASE, BASE).passed
