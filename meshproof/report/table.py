"""The table at the end of a test run: which proof, which verdict, on how much evidence."""

from __future__ import annotations

import io
import json
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
    """Plain text, at most ``width`` columns wide."""
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415 (pytest loads this module in every run)
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=SIMPLE_HEAD, width=width, pad_edge=False)
    for heading, ratio in (("proof", 3), ("verdict", 3), ("outcome", 2)):
        table.add_column(heading, ratio=ratio, overflow="fold")
    table.add_column("n", justify="right", no_wrap=True)
    table.add_column("found; figures", ratio=6, overflow="fold")
    last = ""
    for one in rows:
        text = "; ".join(filter(None, (one.found, one.figures)))
        test = one.test if one.test != last else ""
        table.add_row(test, one.verdict, one.outcome, f"{one.n:,}", text)
        last = one.test
    out = io.StringIO()
    Console(file=out, width=width, color_system=None, markup=False, highlight=False).print(table)
    lines = [line.rstrip() for line in out.getvalue().splitlines()]
    return "\n".join(line for line in lines if line)
