"""A document that was read: its identity, its typed spec, and the line of every field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from meshproof.errors import Problem

Path = tuple[str | int, ...]


def dotted(path: Path) -> str:
    """``("spec", "http", 0, "match")`` as ``spec.http[0].match``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


@dataclass(frozen=True, slots=True)
class Source:
    """Where a document stands: ``lines`` maps a field's path to its line, counted from 1."""

    file: str
    line: int
    lines: Mapping[Path, int] = field(default_factory=dict, repr=False, compare=False)

    def line_of(self, path: Path) -> int:
        """The line of ``path``, or of its nearest ancestor that has one."""
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path[:-1]
        return self.line


@dataclass(frozen=True, slots=True)
class Resource:
    """One Kubernetes object. Equality ignores where it was read from."""

    api_version: str
    kind: str
    name: str
    namespace: str
    """Empty for kinds without one (Namespace), and until the mesh has filled in its default."""
    labels: Mapping[str, str]
    spec: Any
    """The model of the kind: ``istio.VirtualService``, ``kube.Deployment``, ..."""
    source: Source = field(compare=False)

    @property
    def key(self) -> tuple[str, str, str]:
        """Kind, namespace, name: what replaces what. API versions of one kind are one kind."""
        return (self.kind, self.namespace, self.name)

    @property
    def title(self) -> str:
        """As messages name it: ``VirtualService default/svcb``."""
        where = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.kind} {where}"

    def in_namespace(self, namespace: str) -> Resource:
        return replace(self, namespace=namespace)

    def problem(self, path: Path, found: str, wanted: str = "", remedy: str = "") -> Problem:
        """A problem at one field of this document."""
        return Problem(
            file=self.source.file,
            line=self.source.line_of(path),
            resource=self.title,
            field=dotted(path),
            found=found,
            wanted=wanted,
            remedy=remedy,
        )
