"""Counts: one off is off; each wanted version and no other; a share bounded by enough evidence."""

from __future__ import annotations

import pytest

from meshproof.verdicts.counts import exactly, present, share_below, zero_share
from meshproof.verdicts.sample import Sample

BOTH = ("v0.1", "v0.2")


def answers(failed: int = 0, **counts: int) -> Sample:
    named = {name.replace("_", "."): count for name, count in counts.items()}
    return Sample(named, failed, sum(named.values()) + failed)


def test_each_count_is_as_wanted() -> None:
    assert exactly("all", 5, {"told": 5, "stored": 5}, expected=5).require().counts["told"] == 5
    assert exactly("none", 5, {"told": 0}, expected=0).passed


def test_one_off_fails_and_so_does_nothing() -> None:
    assert (
        "stored is 4 of 5; wanted 5"
        in exactly("a", 5, {"told": 5, "stored": 4}, expected=5).sentence
    )
    assert not exactly("a", 5, {}, expected=5).passed
    assert not exactly("a", 0, {"told": 0}, expected=0).passed


def test_zero_share_needs_zero_and_enough_requests() -> None:
    verdict = zero_share("none", answers(v0_2=690), "v0.1").require()
    assert verdict.number("upper_bound") < 0.01
    assert "wanted exactly 0" in zero_share("none", answers(v0_1=1, v0_2=5000), "v0.1").sentence
    assert "only says below" in zero_share("none", answers(v0_2=300), "v0.1").sentence
    assert not zero_share("none", answers(failed=1, v0_2=5000), "v0.1").passed
    assert not zero_share("none", Sample({}, 0, 0), "v0.1").passed


@pytest.mark.parametrize("first", [50, 500, 950])
def test_any_spread_over_both_passes(first: int) -> None:
    assert present("both", Sample({"v0.1": first, "v0.2": 1000 - first}, 0, 1000), BOTH).passed


@pytest.mark.parametrize(
    ("sample", "why"),
    [
        (Sample({}, 0, 0), "no evidence"),
        (Sample({"v0.1": 1000}, 0, 1000), "v0.2 answered 0 of 1000"),
        (Sample({"v0.1": 999, "v0.2": 1}, 0, 1000), "v0.2 answered 1 of 1000"),
        (Sample({"v0.1": 500, "v0.2": 499, "v0.3": 1}, 0, 1000), "1 answers from 'v0.3'"),
        (Sample({"v0.1": 500, "v0.2": 499}, 1, 1000), "1 requests failed"),
    ],
)
def test_a_version_that_is_absent_or_unexpected_fails(sample: Sample, why: str) -> None:
    assert why in present("both", sample, BOTH).sentence


@pytest.mark.parametrize(("hits", "n"), [(0, 690), (2, 1120)])
def test_enough_requests_show_it(hits: int, n: int) -> None:
    assert (
        share_below("rare", hits, n, below=0.01, what="late").require().number("upper_bound") < 0.01
    )


@pytest.mark.parametrize(("hits", "n"), [(0, 100), (8, 1000), (500, 1000), (0, 0)])
def test_too_few_or_too_many_do_not(hits: int, n: int) -> None:
    verdict = share_below("rare", hits, n, below=0.01, what="late")
    assert not verdict.passed
    assert ("no evidence" if not n else f"{hits} of {n} late") in verdict.sentence
