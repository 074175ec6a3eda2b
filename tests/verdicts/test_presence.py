"""Presence: each wanted version, no other, nothing failed."""

from __future__ import annotations

import pytest

from meshproof.verdicts.presence import present
from meshproof.verdicts.sample import Sample

BOTH = ("v0.1", "v0.2")


@pytest.mark.parametrize("first", [50, 500, 950])
def test_any_spread_passes(first: int) -> None:
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
def test_what_must_not_pass(sample: Sample, why: str) -> None:
    assert why in present("both", sample, BOTH).sentence
