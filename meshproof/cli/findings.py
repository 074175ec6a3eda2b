"""What ``check`` found, as JSON, as SARIF 2.1.0, and as annotations of GitHub. Pure."""

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
    """``error``, ``warning`` or ``note``, as SARIF says it."""

    @property
    def rule(self) -> str:
        return self.problem.rule or REFUSED

    @property
    def message(self) -> str:
        """The problem without its place, which is told apart."""
        p = self.problem
        subject = ": ".join(part for part in (p.resource, p.field) if part)
        text = f"{subject}: {p.found}" if subject else p.found
        return "; ".join(filter(None, (text, p.wanted and f"wanted {p.wanted}", p.remedy)))

    def as_dict(self) -> dict[str, Any]:
        return {**self.problem.as_dict(), "rule": self.rule, "level": self.level}


def as_json(resources: int, findings: Sequence[Finding]) -> dict[str, Any]:
    """Errors, warnings and hints apart, each with file, line, field, rule and remedy."""
    levels = {"errors": "error", "warnings": "warning", "hints": "note"}
    told = {
        name: [f.as_dict() for f in findings if f.level == level] for name, level in levels.items()
    }
    return {"resources": resources, **told}


def as_sarif(
    findings: Sequence[Finding], rules: Mapping[str, str], version: str, folder: Path
) -> dict[str, Any]:
    """One run of one tool. ``rules``: id -> what it finds; ``folder``: what paths count from."""
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
    """Workflow commands, a line a finding."""
    return [
        f"::{_GITHUB[f.level]} {_properties(f)}::{_data(f'{f.message} [{f.rule}]')}"
        for f in findings
    ]


def _locations(problem: Problem, folder: Path) -> list[dict[str, Any]]:
    """None for what did not come from a file, such as standard input."""
    if problem.file.startswith("<"):
        return []
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(problem.file, folder)}}
    if problem.line:
        place["region"] = {"startLine": problem.line}
    return [{"physicalLocation": place}]


def _uri(file: str, folder: Path) -> str:
    """Relative where the file is below ``folder``: that is what code scanning wants."""
    path = folder / file
    if path.is_relative_to(folder):
        return urllib.parse.quote(path.relative_to(folder).as_posix())
    return path.as_uri()


def _properties(finding: Finding) -> str:
    problem = finding.problem
    known = not problem.file.startswith("<")
    pairs = {"file": problem.file} if known else {}
    if known and problem.line:
        pairs["line"] = str(problem.line)
    pairs["title"] = f"meshproof {finding.rule}"
    return ",".join(f"{name}={_property(value)}" for name, value in pairs.items())


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
