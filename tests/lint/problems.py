"""What a test expects of problems."""

from __future__ import annotations

from meshproof.errors import Problem


def check_only(problems: list[Problem], field: str, *parts: str) -> None:
    """Exactly one warning, at this field, with a line, whose message has these parts."""
    (problem,) = problems
    assert problem.field == field
    assert problem.line > 1
    for part in parts:
        assert part in str(problem)
