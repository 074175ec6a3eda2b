"""What a report is made of: a chapter a test, load or release; the same as JSON. Plain data."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from meshproof.errors import MeshproofError
from meshproof.report.calls import Call
from meshproof.report.series import Series
from meshproof.verdicts.verdict import Verdict

Json = dict[str, Any]
SCHEMA = "meshproof.report/1"


@dataclass(frozen=True, slots=True)
class ChangeRecord:
    """One change of the mesh, and what became of it."""

    verb: str
    """apply, delete, scale, fault, reset, or ``as it was``: what held before the first."""
    subject: str
    at: float
    """When it was asked for, in Unix seconds."""
    seconds: float
    """Until it was live on every sidecar that it concerns, or had failed."""
    sidecars: int = 0
    error: str = ""
    shares: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Service -> version -> per cent, as the rules say from then on; where they say."""


@dataclass(frozen=True, slots=True)
class Section:
    """One test, load or release with its evidence."""

    title: str
    verdicts: Sequence[Json] = ()
    """``Verdict.as_dict()`` with ``expect`` and ``outcome``."""
    loads: Sequence[Series] = ()
    changes: Sequence[ChangeRecord] = ()
    calls: Sequence[Call] = ()
    traces: Sequence[Json] = ()
    """``examples.examples``."""
    steps: Sequence[str] = ()
    """What a release said as it went."""
    outcome: str = ""
    """passed, failed, skipped, released or rolled back."""
    message: str = ""
    """Why it failed."""
    seconds: float = 0.0

    def as_dict(self) -> Json:
        """As it is read back from JSON: lists, no tuples."""
        plain: Json = json.loads(json.dumps(asdict(self)))
        return plain


def judged(verdict: Verdict, expect: str) -> Json:
    """A verdict as a chapter has it; ``expect`` is ``fail`` for a negative control."""
    fine = verdict.passed == (expect == "pass")
    return {**verdict.as_dict(), "expect": expect, "outcome": _outcome(expect, fine)}


def _outcome(expect: str, fine: bool) -> str:
    if expect == "pass":
        return "passed" if fine else "FAILED"
    return "failed, as it must" if fine else "PASSED, had to fail"


def report(kind: str, title: str, environment: Json, chapters: Sequence[Json], at: float) -> Json:
    """A whole report. ``kind`` is proofs, load or release; ``at`` in Unix seconds."""
    return {
        "schema": SCHEMA,
        "kind": kind,
        "title": title,
        "at": at,
        "environment": environment,
        "chapters": list(chapters),
    }


def read(path: Path) -> Json:
    """A report that was written before, by its ``.json``, its ``.html`` or its folder.

    Raises MeshproofError for what is none.
    """
    file = path / "report.json" if path.is_dir() else path.with_suffix(".json")
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise MeshproofError(f"{file}: {error.strerror}; wanted a report of meshproof") from error
    except ValueError as error:
        raise MeshproofError(f"{file}: is not JSON: {error}") from error
    schema = found.get("schema") if isinstance(found, dict) else None
    if schema != SCHEMA:
        raise MeshproofError(f"{file}: its schema is {schema!r}; wanted {SCHEMA!r}")
    return dict(found)
