"""Findings of ``check`` as JSON, as SARIF 2.1.0 and as GitHub annotations. Pure."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from meshproof.errors import Problem

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
REFUSED = "refused"
_GITHUB = {"error": "error", "warning": "warning", "note": "notice"}


@dataclass(frozen=True, slots=True)
class Finding:
    problem: Problem
    level: str
    """``error``, ``warning`` or ``note``: SARIF's levels."""

    @property
    def rule(self) -> str:
        return self.problem.rule or REFUSED

    @property
    def message(self) -> str:
        """The problem without its file and line, which every format has fields for."""
        p = self.problem
        subject = ": ".join(part for part in (p.resource, p.field) if part)
        text = f"{subject}: {p.found}" if subject else p.found
        return "; ".join(filter(None, (text, p.wanted and f"wanted {p.wanted}", p.remedy)))

    def as_dict(self) -> dict[str, Any]:
        return {**self.problem.as_dict(), "rule": self.rule, "level": self.level}


def as_json(resources: int, findings: Sequence[Finding]) -> dict[str, Any]:
    """Errors, warnings and hints, each with file, line, field, rule and remedy."""
    levels = {"errors": "error", "warnings": "warning", "hints": "note"}
    by_level = {
        name: [f.as_dict() for f in findings if f.level == level] for name, level in levels.items()
    }
    return {"resources": resources, **by_level}


def as_sarif(
    findings: Sequence[Finding], rules: Mapping[str, str], version: str, folder: Path
) -> dict[str, Any]:
    """One run of one tool. ``rules``: id -> description; ``folder``: the root of relative paths."""
    ids = list(rules)
    driver = {
        "name": "meshproof",
        "version": version,
        "rules": [{"id": i, "shortDescription": {"text": text}} for i, text in rules.items()],
    }
    results = [
        {
            "ruleId": finding.rule,
            "ruleIndex": ids.index(finding.rule),
            "level": finding.level,
            "message": {"text": finding.message},
            "locations": _locations(finding.problem, folder),
        }
        for finding in findings
    ]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def as_github(findings: Iterable[Finding]) -> list[str]:
    """Workflow commands, one per finding."""
    return [
        f"::{_GITHUB[f.level]} {_properties(f)}::{_data(f'{f.message} [{f.rule}]')}"
        for f in findings
    ]


def _locations(problem: Problem, folder: Path) -> list[dict[str, Any]]:
    """Empty for input that is no file, such as standard input."""
    if problem.file.startswith("<"):
        return []
    location: dict[str, Any] = {"artifactLocation": {"uri": _uri(problem.file, folder)}}
    if problem.line:
        location["region"] = {"startLine": problem.line}
    return [{"physicalLocation": location}]


def _uri(file: str, folder: Path) -> str:
    """Relative if the file is below ``folder``, as code scanning expects."""
    path = folder / file
    if path.is_relative_to(folder):
        return urllib.parse.quote(path.relative_to(folder).as_posix())
    return path.as_uri()


def _properties(finding: Finding) -> str:
    problem = finding.problem
    is_file = not problem.file.startswith("<")
    pairs = {"file": problem.file} if is_file else {}
    if is_file and problem.line:
        pairs["line"] = str(problem.line)
    pairs["title"] = f"meshproof {finding.rule}"
    return ",".join(f"{name}={_property(value)}" for name, value in pairs.items())


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
