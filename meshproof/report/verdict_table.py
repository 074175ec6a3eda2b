"""The table at the end of a test run: proof, verdict, and on how much evidence."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from meshproof.report.sections import outcome
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
        return outcome(self.passed, self.expect)

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Row:
        return cls(**json.loads(text))


def build_row(test: str, verdict: Verdict, expect: str) -> Row:
    return Row(
        test, verdict.name, verdict.passed, expect, verdict.n, verdict.found,
        verdict.figures_text(),
    )  # fmt: skip


def render(rows: Sequence[Row], width: int) -> str:
    """Plain text, at most ``width`` columns wide; a heading per test, then a line per verdict."""
    outcome_width = max(len(row.outcome) for row in rows)
    verdict_width = max(len(row.verdict) for row in rows)
    lines: list[str] = []
    last = ""
    for row in rows:
        if row.test != last:
            lines.append(row.test)
            last = row.test
        head = f"  {row.outcome:<{outcome_width}}  {row.verdict:<{verdict_width}}  n={row.n:<6,}  "
        text = "; ".join(filter(None, (row.found, row.figures)))
        lines += textwrap.wrap(
            head + text, width, subsequent_indent=" " * min(len(head), width // 2),
            drop_whitespace=True, break_on_hyphens=False,
        )  # fmt: skip
    return "\n".join(lines)
