"""The table at the end of a test run: which proof, which verdict, on how much evidence."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from meshproof.verdicts.verdict import Verdict

PROPERTY = "meshproof.verdict"
"""Name of the JUnit property, and of the pytest user property, that carries a row as JSON."""


@dataclass(frozen=True, slots=True)
class Row:
    """One verdict of one test."""

    test: str
    verdict: str
    passed: bool
    expect: str
    """``pass``, or ``fail`` for a negative control."""
    n: int
    found: str
    figures: str

    @property
    def as_expected(self) -> bool:
        return self.passed == (self.expect == "pass")

    @property
    def outcome(self) -> str:
        if self.expect == "fail":
            return "PASSED, had to fail" if self.passed else "failed, as it must"
        return "passed" if self.passed else "FAILED"

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Row:
        return cls(**json.loads(text))


def row(test: str, verdict: Verdict, expect: str) -> Row:
    return Row(
        test, verdict.name, verdict.passed, expect, verdict.n, verdict.found,
        verdict.figures_text(),
    )  # fmt: skip


def render(rows: Sequence[Row], width: int) -> str:
    """Plain text, at most ``width`` columns wide; a heading a test, then a line a verdict."""
    outcome = max(len(one.outcome) for one in rows)
    verdict = max(len(one.verdict) for one in rows)
    lines: list[str] = []
    last = ""
    for one in rows:
        if one.test != last:
            lines.append(one.test)
            last = one.test
        head = f"  {one.outcome:<{outcome}}  {one.verdict:<{verdict}}  n={one.n:<6,}  "
        text = "; ".join(filter(None, (one.found, one.figures)))
        lines += textwrap.wrap(
            head + text, width, subsequent_indent=" " * min(len(head), width // 2),
            drop_whitespace=True, break_on_hyphens=False,
        )  # fmt: skip
    return "\n".join(lines)
