"""The runs test: near 0 for independent draws, far off for blocks and alternation."""

from __future__ import annotations

import random

import pytest

from meshproof.verdicts.independence import runs_z, two_sided


def test_blocks_are_negative_alternation_is_positive_draws_are_neither() -> None:
    rng = random.Random(7)
    draws = [rng.choice("ab") for _ in range(2000)]
    blocks, turns = ["a"] * 1000 + ["b"] * 1000, ["a", "b"] * 1000
    z = [runs_z(sequence, "a") for sequence in (draws, blocks, turns)]
    assert z[0] is not None
    assert abs(z[0]) < 4
    assert z[1] is not None
    assert z[1] < -40
    assert z[2] is not None
    assert z[2] > 40


@pytest.mark.parametrize("sequence", [[], ["a"] * 9, ["a", "b", "b", "b"]])
def test_fewer_than_two_of_either_kind_are_undefined(sequence: list[str]) -> None:
    assert runs_z(sequence, "a") is None


def test_the_tails_of_a_normal() -> None:
    assert two_sided(0) == 1
    assert two_sided(-1.96) == two_sided(1.96) == pytest.approx(0.05, abs=1e-4)
