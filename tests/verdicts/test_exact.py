"""Exact counts: one off is off."""

from __future__ import annotations

from meshproof.verdicts.exact import exactly


def test_each_count_is_as_wanted() -> None:
    assert exactly("all", 5, {"told": 5, "stored": 5}, wanted=5).require().counts["told"] == 5
    assert exactly("none", 5, {"told": 0}, wanted=0).passed


def test_one_off_fails_and_so_does_nothing() -> None:
    assert (
        "stored is 4 of 5; wanted 5" in exactly("a", 5, {"told": 5, "stored": 4}, wanted=5).sentence
    )
    assert not exactly("a", 5, {}, wanted=5).passed
    assert not exactly("a", 0, {"told": 0}, wanted=0).passed
