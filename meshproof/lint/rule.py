"""One check: its stable id, its level, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from meshproof.errors import Problem
from meshproof.lint.context import LintContext


@dataclass(frozen=True, slots=True)
class LintRule:
    """``hint``: worth knowing, but never a reason for `--strict` to refuse."""

    id: str
    finds: str
    check: Callable[[LintContext], Iterable[Problem]] | None = None
    """None for what another package finds; it sets the id itself."""
    hint: bool = False
