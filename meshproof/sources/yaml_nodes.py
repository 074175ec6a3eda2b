"""YAML nodes to plain values, with the line and the written text of each. Private to sources."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeVar

import yaml

from meshproof.sources.location import FieldPath
from meshproof.sources.scalars import number_of, plain

try:
    from yaml import CSafeLoader as _Base
except ImportError:  # PyYAML built without libyaml
    from yaml import SafeLoader as _Base  # type: ignore[assignment]  # same interface, slower

T = TypeVar("T")
_TAG = "tag:yaml.org,2002:"
_PLAIN = "plain"
_BEGIN_OBJECT = ("apiVersion", "kind")
_MISSING_SEPARATOR = "keep one; or a document begins there, and a line --- is missing above"
_TEMPLATE = "quote it; or this is a template ({{ ... }}), to be rendered first, as by helm template"


class Loader(_Base):
    """Composes nodes only; the type of a plain scalar is decided later, from its text."""

    def resolve(self, kind: type[yaml.Node], _value: str, implicit: Any) -> str:
        if kind is yaml.ScalarNode:
            return _PLAIN if implicit[0] else _TAG + "str"
        return _TAG + ("seq" if kind is yaml.SequenceNode else "map")

    def descend_resolver(self, *_: Any) -> None:
        return None

    def ascend_resolver(self) -> None:
        return None


class AliasExplosionError(Exception):
    """Aliases expand to more values than the text can account for."""


def line_of(at: yaml.Node | yaml.Event) -> int:
    """Counted from 1; 0 where the parser gives none."""
    return at.start_mark.line + 1 if at.start_mark else 0


@dataclass(slots=True)
class NodeBuilder:
    """Turns nodes into values, one document at a time; all but ``budget`` is of the newest one."""

    budget: int
    """How many more values may be built before aliases count as exploding."""
    lines: dict[FieldPath, int] = field(default_factory=dict)
    texts: dict[FieldPath, str] = field(default_factory=dict)
    """The unquoted text of each value that is not a string."""
    errors: list[tuple[FieldPath, int, str, str]] = field(default_factory=list)
    """Path, line, what is wrong, and a remedy."""
    broken: bool = False
    """A part could not be built, so problems of the rest would mislead."""
    _open: set[int] = field(default_factory=set)

    def build(self, node: yaml.Node) -> Any:
        """One document's value. Raises AliasExplosionError."""
        self.lines, self.texts, self.errors, self.broken = {}, {}, [], False
        self._open.clear()
        return self._build(node, ())

    def _build(self, node: yaml.Node, path: FieldPath) -> Any:
        self.budget -= 1
        if self.budget < 0:
            raise AliasExplosionError
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if id(node) in self._open:
            self._refuse(path, node, "an alias contains itself", "write the value out")
            return None
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode) and node.tag == _TAG + "seq":
                return self._sequence(node, path)
            if isinstance(node, yaml.MappingNode) and node.tag == _TAG + "map":
                return self._mapping(node, path)
        finally:
            self._open.discard(id(node))
        return self._refuse_tag(node, path)

    def _sequence(self, node: yaml.SequenceNode, path: FieldPath) -> list[Any]:
        values = []
        for index, item in enumerate(node.value):
            at = (*path, index)
            self.lines[at] = line_of(item)
            values.append(self._build(item, at))
        return values

    def _mapping(self, node: yaml.MappingNode, path: FieldPath) -> dict[str, Any]:
        values: dict[str, Any] = {}
        key_lines: dict[str, int] = {}
        merges = []
        for key_node, value_node in node.value:
            line = line_of(key_node)
            if key_node.tag == _PLAIN and key_node.value == "<<":
                merges.append(value_node)
                continue
            key = self._key(key_node, path)
            if key is None:
                continue
            at = (*path, key)
            if key in key_lines:
                message = f"is defined twice, in line {key_lines[key]} and line {line}"
                begins = not path and key in _BEGIN_OBJECT
                self.errors.append(
                    (at, line, message, _MISSING_SEPARATOR if begins else "keep one")
                )
            key_lines[key] = line
            self.lines[at] = line
            values[key] = self._build(value_node, at)
        for merged in merges:
            self._merge(merged, path, values)
        return values

    def _merge(self, node: yaml.Node, path: FieldPath, values: dict[str, Any]) -> None:
        """``<<``: keys of other mappings, unless the mapping or an earlier merge has them."""
        parts = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for part in parts:
            if not isinstance(part, yaml.MappingNode):
                self._refuse(path, part, "<< merges something that is not a mapping", "")
                continue
            own, self.lines, own_texts, self.texts = self.lines, {}, self.texts, {}
            merged = self._build(part, path)
            for key, value in (merged or {}).items():
                values.setdefault(key, value)
            self.lines = _under(own, self.lines)
            self.texts = _under(own_texts, self.texts)

    def _key(self, node: yaml.Node, path: FieldPath) -> str | None:
        """A key as kubectl turns it into a JSON key: a number becomes a text.

        A boolean would become ``true`` or ``false``, which nobody means who writes ``y:``.
        """
        if not isinstance(node, yaml.ScalarNode):
            self._refuse(path, node, "a key is not a string", _TEMPLATE)
            return None
        value = self._scalar(node, path, record=False)
        if value is None:
            self._refuse(path, node, "a key is empty", "write the key, or quote it")
            return None
        if isinstance(value, bool) and node.value not in ("true", "false"):
            message = f"the key {node.value} is one that YAML reads as a boolean"
            self.errors.append((path, line_of(node), message, f'quote it: "{node.value}"'))
        return str(node.value) if isinstance(value, bool) else str(value)

    def _scalar(self, node: yaml.ScalarNode, path: FieldPath, *, record: bool = True) -> Any:
        tag, text = node.tag, str(node.value)
        if tag == _TAG + "str" or tag == _TAG + "timestamp":
            return text
        if tag in (_PLAIN, _TAG + "bool", _TAG + "null"):
            value = plain(text)
        elif tag in (_TAG + "int", _TAG + "float"):
            value = number_of(text.replace("_", ""))
        else:
            return self._refuse_tag(node, path)
        if record and not isinstance(value, str):
            self.texts[path] = text
        return value

    def _refuse_tag(self, node: yaml.Node, path: FieldPath) -> None:
        tag = str(node.tag).replace(_TAG, "!!")
        self._refuse(
            path, node, f"has the YAML tag {tag}, which kubectl does not know", "remove it"
        )

    def _refuse(self, path: FieldPath, node: yaml.Node, message: str, remedy: str) -> None:
        self.broken = True
        self.errors.append((path, line_of(node), message, remedy))


def _under(own: dict[FieldPath, T], merged: dict[FieldPath, T]) -> dict[FieldPath, T]:
    """``own`` with the entries of ``merged`` that it lacks; not copied, as a text may have many
    merges."""
    for path, value in merged.items():
        own.setdefault(path, value)
    return own
