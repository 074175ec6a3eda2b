"""A sample that is no evidence says why."""

from __future__ import annotations

import pytest

from meshproof.verdicts.sample import Sample


def test_negative_counts_are_an_error() -> None:
    with pytest.raises(ValueError, match="negative"):
        Sample({"a": -1}, 0, 0)


def test_failures_and_requests_unaccounted_for_are_problems() -> None:
    assert Sample({"a": 9}, 1, 10).problems(failed_allowed=1) == []
    assert "1 requests failed; allowed 0" in Sample({"a": 9}, 1, 10).problems()
    (problem,) = Sample({"a": 9}, 0, 10).problems()
    assert "unaccounted for" in problem
    (problem,) = Sample({"a": 2}, 0, 2, ("a",)).problems()
    assert "the sequence has 1 of 2 answers" in problem
