"""A pytest session's report: its tests' outcomes joined with the evidence that they left."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from meshproof.report.evidence import CHAPTER, folder_name
from meshproof.report.sections import Json, Section, report

_LONGEST = 6_000
"""Characters of a failure's text; all of it is in the terminal and in JUnit's file."""


@dataclass(slots=True)
class Tested:
    """One test, over its set-up, call and teardown."""

    test: str
    outcome: str = "passed"
    seconds: float = 0.0
    message: str = ""

    def add(self, phase: Any) -> None:
        """Take in one phase: a ``pytest.TestReport``."""
        self.seconds += phase.duration
        if phase.failed:
            self.outcome = "failed"
            self.message = "\n".join(filter(None, (self.message, phase.longreprtext)))
        elif phase.skipped and self.outcome == "passed":
            self.outcome = "skipped"
            self.message = str(phase.longrepr[2]) if isinstance(phase.longrepr, tuple) else ""


def page(reports: Iterable[Any], file: Path, mesh: str, since: float) -> Path:
    """Write a session's report; the path of its page. ``since`` is when the session began, in
    Unix seconds: evidence that is older is of another."""
    from meshproof.report.environment import environment  # noqa: PLC0415 (asks the Envoy)
    from meshproof.report.page import write  # noqa: PLC0415 (the template engine)

    made = chapters(tested(reports), file.parent, since)
    return write(report("proofs", "Proofs on a service mesh", environment(mesh), made, since), file)


def tested(reports: Iterable[Any]) -> list[Tested]:
    """One a test, in the order in which they were run."""
    found: dict[str, Tested] = {}
    for phase in reports:
        found.setdefault(phase.nodeid, Tested(phase.nodeid)).add(phase)
    return list(found.values())


def chapters(tests: Iterable[Tested], artifacts: Path, since: float) -> list[Json]:
    """A chapter a test; those without evidence have their outcome alone."""
    return [_chapter(one, artifacts, since) for one in tests]


def _chapter(one: Tested, artifacts: Path, since: float) -> Json:
    told = {
        "title": one.test.rpartition("/")[2],
        "outcome": one.outcome,
        "message": one.message[-_LONGEST:],
        "seconds": one.seconds,
    }
    file = artifacts / folder_name(one.test) / CHAPTER
    if file.exists() and file.stat().st_mtime >= since:
        return {**json.loads(file.read_text(encoding="utf-8")), **told}
    return {**Section("").as_dict(), **told}
