"""The results of cases, as every report reads them."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field

from meshproof.cases.case import Case
from meshproof.cases.mismatch import Mismatch
from meshproof.errors import Problem


class Outcome(enum.StrEnum):
    """What became of a case."""

    PASSED = "passed"
    FAILED = "failed"
    DISAGREED = "disagreed"
    """Files and the running mesh say different things."""


@dataclass(frozen=True, slots=True)
class LiveResult:
    """What a running mesh showed: ``n`` requests, and what was not as expected."""

    n: int
    mismatches: tuple[Mismatch, ...] = ()
    judged: tuple[str, ...] = ()
    """The fields that evidence can show."""
    error_rates: str = ""
    """How often a right mesh fails, and what a wrong one cannot hide."""
    unforeseen: tuple[Mismatch, ...] = ()
    """What happened that the files give no chance, whatever the case expects."""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """``mismatches`` are those of the files; ``live`` is None where no mesh was asked."""

    case: Case
    mismatches: tuple[Mismatch, ...] = ()
    seconds: float = 0.0
    live: LiveResult | None = None
    warnings: tuple[str, ...] = ()

    @property
    def outcome(self) -> Outcome:
        if self.live is not None and self.live.unforeseen:
            return Outcome.DISAGREED
        if self.live is not None and self.live.judged:
            fields = {f.partition(".")[0] for f in self.live.judged}
            static = {m.field.partition(".")[0] for m in self.mismatches} & fields
            if bool(static) != bool(self.live.mismatches):
                return Outcome.DISAGREED
        failed = self.mismatches or (self.live is not None and self.live.mismatches)
        return Outcome.FAILED if failed else Outcome.PASSED

    @property
    def lines(self) -> list[str]:
        """What is not as expected, a line each."""
        texts = [str(m) for m in self.mismatches]
        if self.live is not None:
            texts += [f"live: {m}" for m in self.live.mismatches]
            if self.live.unforeseen:
                foreseen = ((m.wanted, m.found) for m in self.live.unforeseen)
                texts += [f"files foresee {a}; the running mesh did {b}" for a, b in foreseen]
            elif self.outcome is Outcome.DISAGREED:
                side = "the running mesh" if self.live.mismatches else "the files"
                texts.append(f"files and the running mesh disagree: only {side} says so")
        return texts


@dataclass(frozen=True, slots=True)
class RuleUnit:
    """A route or a policy's rule: ``field`` is ``spec.http[0]``, or empty for a whole rule."""

    title: str
    field: str
    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.title} {self.field}".rstrip()


@dataclass(frozen=True, slots=True)
class Coverage:
    """Routes and policies of the rules under test, and those that no case visits."""

    routes: int = 0
    policies: int = 0
    unvisited: tuple[RuleUnit, ...] = ()


@dataclass(frozen=True, slots=True)
class Survivor:
    """An altered field that no case noticed."""

    title: str
    field: str
    change: str
    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.title}: {self.field}: {self.change}"


@dataclass(frozen=True, slots=True)
class MutationResult:
    """``refused`` mutants are no valid rules, ``equivalent`` ones give the same configuration;
    neither counts."""

    noticed: int = 0
    survivors: tuple[Survivor, ...] = ()
    refused: int = 0
    equivalent: int = 0

    @property
    def total(self) -> int:
        return self.noticed + len(self.survivors)

    @property
    def share(self) -> float | None:
        """Of mutants that a case noticed, 0 to 1; None without any."""
        return self.noticed / self.total if self.total else None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that one run of ``meshproof test`` came to."""

    results: Sequence[CaseResult]
    coverage: Coverage = field(default_factory=Coverage)
    mutation: MutationResult | None = None
    seconds: float = 0.0
    problems: Sequence[Problem] = ()
    """Why nothing could be judged."""
    pods: bool = True
    """Whether the mesh that the files describe has pods."""

    def count(self, outcome: Outcome) -> int:
        return sum(r.outcome is outcome for r in self.results)

    @property
    def passed(self) -> bool:
        judged = bool(self.results) and not self.problems
        return judged and all(r.outcome is Outcome.PASSED for r in self.results)
