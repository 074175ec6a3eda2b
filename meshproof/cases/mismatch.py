"""A field of an expectation that is not so."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.explain.origin import RuleOrigin


@dataclass(frozen=True, slots=True)
class Mismatch:
    """``rule`` is the one that makes it so."""

    field: str
    wanted: str
    found: str
    rule: RuleOrigin | None = None

    def __str__(self) -> str:
        because = f", by {self.rule}" if self.rule else ""
        return f"{self.field}: wanted {self.wanted}; found {self.found}{because}"
