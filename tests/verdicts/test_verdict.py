"""A verdict passes exactly when there is evidence and no problem, and says what it rests on."""

from __future__ import annotations

import pytest

from meshproof.verdicts.verdict import Figure, Verdict, VerdictFailed, conclude, some


def verdict(n: int = 3, *problems: str) -> Verdict:
    figures: dict[str, Figure] = {"alpha": 1e-6, "interval": (0.25, 0.5)}
    return conclude(
        "v", n, {"a": n}, list(problems), wanted="w", found="f", allowed="l", figures=figures
    )


def test_it_passes_on_evidence_without_problems_only() -> None:
    assert verdict().require().passed
    assert not verdict(3, "off").passed
    assert verdict(0).problems == ("no evidence: nothing was observed",)
    with pytest.raises(ValueError, match="cannot pass with n=0"):
        Verdict("v", True, 0, {}, "w", "f", "l")


def test_a_failure_says_wanted_got_allowed_and_why() -> None:
    with pytest.raises(VerdictFailed) as failure:
        verdict(3, "off").require()
    for line in ("wanted   w", "got      f", "allowed  l", "because  off", "alpha 1e-06"):
        assert line in str(failure.value)
    assert verdict(3, "off").sentence == "v: FAILED, n=3: found f; wanted w; because off"


def test_figures_have_types() -> None:
    assert (verdict().number("alpha"), verdict().pair("interval")) == (1e-6, (0.25, 0.5))
    with pytest.raises(TypeError, match="not a number"):
        verdict().number("interval")
    with pytest.raises(TypeError, match="not an interval"):
        verdict().pair("alpha")
    assert verdict().as_dict()["figures"]["interval"] == [0.25, 0.5]


def test_long_lists_are_shortened() -> None:
    assert some(["a", "b", "c"]) == "a, b, c"
    assert some(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"
