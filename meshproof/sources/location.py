"""Where a document was written: its file, its line, and the line of each of its fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

FieldPath = tuple[str | int, ...]
"""The steps from a document to one of its fields: ``("spec", "http", 0, "match")``."""


def dotted(path: FieldPath) -> str:
    """``("spec", "http", 0, "match")`` as ``spec.http[0].match``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def is_same_place(one: str, other: str) -> bool:
    """Whether one of two dotted paths is the other, or leads to it."""
    short, long = sorted((one, other), key=len)
    return long.startswith(short) and long[len(short) : len(short) + 1] in ("", ".", "[")


def parse_dotted(text: str) -> FieldPath:
    """The inverse of ``dotted``. A key with a dot in it, such as a label's, reads as two steps."""
    steps = re.findall(r"\[(\d+)\]|([^.\[\]]+)", text)
    return tuple(int(index) if index else key for index, key in steps)


@dataclass(frozen=True, slots=True)
class Origin:
    """A field that a user wrote, for resources that were generated from it."""

    file: str
    line: int
    resource: str
    """The written document's title, such as ``RouteRule default/route-rules-svcb``."""
    field: str


@dataclass(frozen=True, slots=True)
class Location:
    """Where a document was written; ``lines`` maps a field's path to its line, counted from 1.

    A resource that was translated from other documents (``meshproof.istio04``) has ``origins``:
    the written field behind each of its own paths.
    """

    file: str
    line: int
    lines: Mapping[FieldPath, int] = field(default_factory=dict, repr=False, compare=False)
    origins: Mapping[FieldPath, Origin] = field(default_factory=dict, repr=False, compare=False)

    def line_of(self, path: FieldPath) -> int:
        """The line of ``path``, or of its nearest ancestor that has one."""
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path[:-1]
        return self.line

    def origin_of(self, path: FieldPath) -> Origin | None:
        """What a user wrote for ``path`` or its nearest ancestor; None where it was read as is."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.origins:
                return self.origins[path[:length]]
        return None
