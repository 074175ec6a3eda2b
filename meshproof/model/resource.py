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
class Origin:
    """A field of the document that a user wrote, for resources that were made out of it."""

    file: str
    line: int
    resource: str
    """The written document's title, such as ``RouteRule default/route-rules-svcb``."""
    field: str


@dataclass(frozen=True, slots=True)
class Source:
    """Where a document stands: ``lines`` maps a field's path to its line, counted from 1.

    A resource that was translated from other documents (``meshproof.istio04``) has ``origins``:
    the written field behind each of its own paths.
    """

    file: str
    line: int
    lines: Mapping[Path, int] = field(default_factory=dict, repr=False, compare=False)
    origins: Mapping[Path, Origin] = field(default_factory=dict, repr=False, compare=False)

    def line_of(self, path: Path) -> int:
        """The line of ``path``, or of its nearest ancestor that has one."""
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path[:-1]
        return self.line

    def origin_of(self, path: Path) -> Origin | None:
        """What a user wrote for ``path`` or its nearest ancestor; None where it was read as is."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.origins:
                return self.origins[path[:length]]
        return None


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
    export_to: tuple[str, ...] = ()
    """Of a Service: the namespaces in its annotation ``networking.istio.io/exportTo``."""

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
        """A problem at one field of this document, or of the one that it was made out of."""
        origin = self.source.origin_of(path)
        return Problem(
            file=origin.file if origin else self.source.file,
            line=origin.line if origin else self.source.line_of(path),
            resource=origin.resource if origin else self.title,
            field=origin.field if origin else dotted(path),
            found=found,
            wanted=wanted,
            remedy=remedy,
        )

    def origin(self, path: Path) -> Origin:
        """One field of this document, as the origin of what is made out of it."""
        return Origin(self.source.file, self.source.line_of(path), self.title, dotted(path))
