"""A document's plain data with its paths, read without regard to types.

A value of another type than a rule asks for reads as "not set": types are the schema's business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from meshproof.sources.location import FieldPath


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing at ``path`` of a document that Istio refuses, or only warns of (``warning``)."""

    path: FieldPath
    found: str
    wanted: str = ""
    remedy: str = ""
    warning: bool = False


Violations = Iterator[Violation]


@dataclass(frozen=True, slots=True)
class Node:
    """A value at ``path`` of its document; ``value`` is None where there is none."""

    value: Any
    path: FieldPath = ()

    def get(self, *names: str) -> Node:
        """The field at ``names`` below this one."""
        node = self
        for name in names:
            value = node.value.get(name) if isinstance(node.value, dict) else None
            node = Node(value, (*node.path, name))
        return node

    def items(self, name: str = "") -> list[Node]:
        """The entries of a list: of this one, or of the field ``name``."""
        node = self.get(name) if name else self
        values = node.value if isinstance(node.value, list) else ()
        return [Node(value, (*node.path, index)) for index, value in enumerate(values)]

    def entries(self, name: str = "") -> list[tuple[str, Node]]:
        """The keys and values of a mapping: of this one, or of the field ``name``."""
        node = self.get(name) if name else self
        values = node.value.items() if isinstance(node.value, dict) else ()
        return [(str(key), Node(value, (*node.path, key))) for key, value in values]

    def texts(self, name: str) -> list[str]:
        """The strings in the list ``name``."""
        return [node.text for node in self.items(name) if isinstance(node.value, str)]

    def has(self, *names: str) -> bool:
        """Whether any of the fields is set (CEL's ``has``)."""
        return any(self.get(name).is_set for name in names)

    def which(self, *names: str) -> list[str]:
        """Those of the fields that are set."""
        return [name for name in names if self.has(name)]

    @property
    def is_set(self) -> bool:
        return self.value is not None

    @property
    def text(self) -> str:
        """The string; empty if there is none."""
        return self.value if isinstance(self.value, str) else ""

    @property
    def number(self) -> float:
        """The number; 0 if there is none."""
        is_number = isinstance(self.value, int | float) and not isinstance(self.value, bool)
        return self.value if is_number else 0

    @property
    def flag(self) -> bool:
        return self.value is True

    def refuse(self, found: str, wanted: str = "", remedy: str = "") -> Violation:
        return Violation(self.path, found, wanted, remedy)

    def warn(self, found: str, wanted: str = "", remedy: str = "") -> Violation:
        return Violation(self.path, found, wanted, remedy, warning=True)

    def check(self, reason: Callable[[str], str], wanted: str = "") -> Violations:
        """A violation if the string is set and ``reason`` names one."""
        if isinstance(self.value, str) and (problem := reason(self.value)):
            yield self.refuse(problem, wanted)
