"""A verdict must pass; a negative control must fail, and for its own reason only."""

from __future__ import annotations

import pytest

from meshproof.report.expectation import ControlFailed, require
from meshproof.verdicts.sample import Sample
from meshproof.verdicts.split import split
from meshproof.verdicts.verdict import VerdictFailed

HALF = {"a": 1, "b": 1}
GOOD = split("half", Sample({"a": 2600, "b": 2640}, 0, 5240), HALF)
OFF = split("half", Sample({"a": 3144, "b": 2096}, 0, 5240), HALF)
DARK = split("half", Sample({}, 0, 0), HALF)


def test_a_verdict_that_has_to_pass() -> None:
    assert require(GOOD, "pass", "") is GOOD
    with pytest.raises(VerdictFailed, match="a answered 3144 of 5240"):
        require(OFF, "pass", "")


def test_a_control_must_fail_for_its_own_reason_only() -> None:
    assert require(OFF, "fail", r"answered \d+ of 5240; allowed") is OFF
    with pytest.raises(ControlFailed, match="had to fail and passed"):
        require(GOOD, "fail", "anything")
    with pytest.raises(ControlFailed, match="no evidence"):
        require(DARK, "fail", "answered")


@pytest.mark.parametrize(("expect", "because"), [("fail", ""), ("failure", "x"), ("", "")])
def test_misuse_is_an_error(expect: str, because: str) -> None:
    with pytest.raises(ValueError, match=r"control|expect"):
        require(OFF, expect, because)
