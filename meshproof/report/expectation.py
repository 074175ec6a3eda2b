"""The expectation of a verdict: to pass, or as a negative control to fail for the right reason."""

from __future__ import annotations

import re
from typing import Protocol

from meshproof.verdicts.verdict import Verdict


class Judge(Protocol):
    def __call__(self, verdict: Verdict, *, expect: str = "pass", because: str = "") -> Verdict:
        """Records and requires a verdict.

        ``expect="fail"`` is for negative controls: the verdict must fail, and each of its
        problems must match the regular expression ``because``: a control that fails for lack of
        evidence proves nothing.
        """
        ...


class ControlFailed(AssertionError):
    """A negative control did not fail, or failed for another reason than the expected one."""


def require(verdict: Verdict, expect: str, because: str) -> Verdict:
    """The verdict, if it is as expected.

    Raises VerdictFailed for one that had to pass, ControlFailed for a control, and ValueError for
    an ``expect`` that is neither, and for a control without ``because``.
    """
    __tracebackhide__ = True
    if expect == "pass":
        return verdict.require()
    if expect != "fail":
        raise ValueError(f"expect is {expect!r}; wanted 'pass' or 'fail'")
    if not because:
        raise ValueError("a negative control says why it must fail: because='REGEX'")
    if verdict.passed:
        raise ControlFailed(f"this control had to fail and passed:\n{verdict.explain()}")
    others = [problem for problem in verdict.problems if not re.search(because, problem)]
    if others:
        raise ControlFailed(
            f"this control failed, but not (only) because of {because!r}: {'; '.join(others)}\n"
            + verdict.explain()
        )
    return verdict
