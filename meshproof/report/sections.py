"""The data of a report: one section per test, load or release, and the same as JSON.

In the JSON (``SCHEMA``) a section is a chapter: reports of earlier versions stay comparable.
"""

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
    """One change of the mesh, and its outcome."""

    verb: str
    """apply, delete, scale, fault, reset, or ``as it was``: the rules before the first change."""
    subject: str
    at: float
    """When it was requested, in Unix seconds."""
    seconds: float
    """Until it was live on every sidecar that it concerns, or had failed."""
    sidecars: int = 0
    error: str = ""
    shares: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Service -> version -> percent, as the rules set them from then on, where they do."""


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
    """``sample_traces.sample_traces``."""
    steps: Sequence[str] = ()
    """The lines that a release printed."""
    outcome: str = ""
    """passed, failed, skipped, released or rolled back."""
    message: str = ""
    """Why it failed."""
    seconds: float = 0.0

    def as_dict(self) -> Json:
        """As it is read back from JSON: lists instead of tuples."""
        plain: Json = json.loads(json.dumps(asdict(self)))
        return plain


def verdict_as_json(verdict: Verdict, expect: str) -> Json:
    """A verdict as a section has it; ``expect`` is ``fail`` for a negative control."""
    return {**verdict.as_dict(), "expect": expect, "outcome": outcome(verdict.passed, expect)}


def outcome(passed: bool, expect: str) -> str:
    """The outcome of a verdict in words; capitals where it is not as expected."""
    if expect == "pass":
        return "passed" if passed else "FAILED"
    return "PASSED, had to fail" if passed else "failed, as it must"


def build_report(
    kind: str, title: str, environment: Json, sections: Sequence[Json], at: float
) -> Json:
    """A whole report. ``kind`` is proofs, load or release; ``at`` in Unix seconds."""
    return {
        "schema": SCHEMA,
        "kind": kind,
        "title": title,
        "at": at,
        "environment": environment,
        "chapters": list(sections),
    }


def read_report(path: Path) -> Json:
    """A report, by its ``.json``, its ``.html`` or its folder.

    Raises MeshproofError for a file that is no report.
    """
    file = path / "report.json" if path.is_dir() else path.with_suffix(".json")
    try:
        report = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise MeshproofError(f"{file}: {error.strerror}; wanted a report of meshproof") from error
    except ValueError as error:
        raise MeshproofError(f"{file}: is not JSON: {error}") from error
    schema = report.get("schema") if isinstance(report, dict) else None
    if schema != SCHEMA:
        raise MeshproofError(f"{file}: its schema is {schema!r}; wanted {SCHEMA!r}")
    return dict(report)
