"""A case that is ready to be judged: one request, one expectation, one set of rules. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from meshproof.cases.model import Expect, Token
from meshproof.errors import Problem
from meshproof.sources.documents import Document
from meshproof.sources.location import FieldPath


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules that a case is about: files on top of manifests, and the namespace of documents
    that name none. No files: the manifests alone."""

    files: tuple[Path, ...] = ()
    namespace: str = ""
    manifests: tuple[Path, ...] | None = None
    """None for the project's."""


@dataclass(frozen=True, slots=True)
class CaseRequest:
    """``sender`` is a workload, ``gateway``, or another gateway."""

    sender: str
    url: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    token: str | Token | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"{self.method} {self.url} from {self.sender}"


@dataclass(frozen=True, slots=True)
class RouteExpectation:
    """A case of istio-config-validator: fields of the route that takes the request, as the rule
    has them; all of them equal, or, where ``match`` is false, each different."""

    fields: Mapping[str, Any]
    match: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where a case stands; ``path`` is its path in the document."""

    document: Document
    path: FieldPath

    @property
    def file(self) -> str:
        return self.document.location.file

    @property
    def line(self) -> int:
        return self.document.location.line_of(self.path)

    def problem(self, path: Sequence[str | int], found: str, wanted: str, remedy: str) -> Problem:
        return self.document.problem((*self.path, *path), found, wanted, remedy)


@dataclass(frozen=True, slots=True)
class Case:
    """``row`` counts the table's rows from 1; 0 for a case without a table."""

    name: str
    request: CaseRequest
    expect: Expect | RouteExpectation
    rules: RuleSet
    place: Place = field(compare=False)
    row: int = 0
    parameters: tuple[str, ...] = field(default=(), compare=False)
    """The names that its file's ``parameters`` give a value."""

    @property
    def title(self) -> str:
        row = f" (row {self.row})" if self.row else ""
        return f"{self.name}{row}: {self.request}"
