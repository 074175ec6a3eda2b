"""YAML text -> documents, each with the line of every field.

Values come out as kubectl would send them (``scalars``). Duplicate keys, unknown tags, aliases
that blow up or contain themselves, and documents that are no mapping are problems.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import yaml

from meshproof.errors import Problem
from meshproof.sources import yaml_errors
from meshproof.sources.location import FieldPath, Location, dotted
from meshproof.sources.scalars import number_of, plain

try:
    from yaml import CSafeLoader as _Base
except ImportError:  # PyYAML built without libyaml
    from yaml import SafeLoader as _Base  # type: ignore[assignment]  # same interface, slower

T = TypeVar("T")
_TAG = "tag:yaml.org,2002:"
_PLAIN = "plain"
_MAX_DEPTH = 200
_FIRST = ("apiVersion", "kind")
_SECOND = "keep one; or a document begins there, and a line --- is missing above"
_TEMPLATE = "quote it; or this is a template ({{ ... }}), to be rendered first, as by helm template"
_SAFE_DEPTH = 3000
"""Nesting that the parser's own recursion survives with a thread's usual stack."""
_ALIAS_ALLOWANCE = 100_000
"""Values that aliases may add to what the text itself holds."""


@dataclass(slots=True)
class Document:
    """One document: ``value`` is plain data, and maps from a field's path say where it stands."""

    value: dict[str, Any]
    location: Location
    lines: dict[FieldPath, int]
    """The same mapping as ``location.lines``; a reader may add other spellings of a path."""
    texts: dict[FieldPath, str]
    """The unquoted text of each value that YAML does not read as a text: ``yes``, ``1.0``."""

    @property
    def title(self) -> str:
        """``Kind namespace/name`` as far as it can be read."""
        kind, meta = self.value.get("kind"), self.value.get("metadata")
        if not isinstance(kind, str):
            return ""
        name = meta.get("name") if isinstance(meta, dict) else None
        if not isinstance(name, str):
            return kind
        namespace = meta.get("namespace") if isinstance(meta, dict) else None
        return f"{kind} {namespace}/{name}" if isinstance(namespace, str) else f"{kind} {name}"

    def problem(
        self,
        path: FieldPath,
        found: str,
        wanted: str = "",
        remedy: str = "",
        *,
        unsupported: bool = False,
    ) -> Problem:
        """A problem at one field of this document."""
        return Problem(
            file=self.location.file,
            line=self.location.line_of(path),
            resource=self.title,
            field=dotted(path),
            found=found,
            wanted=wanted,
            remedy=remedy,
            unsupported=unsupported,
        )


def _line(at: yaml.Node | yaml.Event) -> int:
    return at.start_mark.line + 1 if at.start_mark else 0


class _Loader(_Base):
    """Composes nodes only; what a plain scalar means is decided later, from its text."""

    def resolve(self, kind: type[yaml.Node], _value: str, implicit: Any) -> str:
        if kind is yaml.ScalarNode:
            return _PLAIN if implicit[0] else _TAG + "str"
        return _TAG + ("seq" if kind is yaml.SequenceNode else "map")

    def descend_resolver(self, *_: Any) -> None:
        return None

    def ascend_resolver(self) -> None:
        return None


_OBJECT = "a mapping with apiVersion, kind and metadata"


def read_documents(
    text: str, file: str, wanted: str = _OBJECT
) -> tuple[list[Document], list[Problem]]:
    """All documents of a text, ``kind: List`` expanded, empty ones left out; never raises.

    Broken YAML is one problem, and the documents before it are still there.
    """
    documents: list[Document] = []
    problems: list[Problem] = []
    too_deep = _too_deep(text, file)
    if too_deep:
        return [], [too_deep]
    build = _Builder(file, wanted, len(text) + _ALIAS_ALLOWANCE)
    loader = None
    try:
        loader = _Loader(text)
        while loader.check_node():
            for node in _items(cast("yaml.Node", loader.get_node())):
                document = build.document(node)
                problems += build.problems
                if document:
                    documents.append(document)
    except yaml.YAMLError as error:
        problems.append(yaml_errors.explain(error, text, file))
    except UnicodeEncodeError as error:  # lone surrogates, as from undecodable standard input
        line = text.count("\n", 0, error.start) + 1
        problems.append(
            Problem(file, line, "", "", "holds a character that is not Unicode", "", "")
        )
    finally:
        if loader:
            loader.dispose()
    return documents, problems


def _too_deep(text: str, file: str) -> Problem | None:
    """Nesting is bounded before it is composed: the C composer recurses, and would crash."""
    longest = max((len(line) for line in text.splitlines()), default=0)
    if text.count("[") + text.count("{") + 2 * longest < _SAFE_DEPTH:
        return None
    depth = 0
    try:
        for event in yaml.parse(text, Loader=_Loader):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > _MAX_DEPTH:
                    line = _line(event)
                    found = f"is nested more than {_MAX_DEPTH} levels deep"
                    return Problem(file, line, "", "", found, "", "")
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
    except (yaml.YAMLError, UnicodeEncodeError):
        return None  # said better, with what came before it, by the composer
    return None


def _items(node: yaml.Node) -> Iterator[yaml.Node]:
    """The documents of a ``kind: List``, or the document itself."""
    if isinstance(node, yaml.MappingNode):
        fields = {k.value: v for k, v in node.value if isinstance(k, yaml.ScalarNode)}
        kind, items = fields.get("kind"), fields.get("items")
        is_list = isinstance(kind, yaml.ScalarNode) and kind.value == "List"
        if is_list and isinstance(items, yaml.SequenceNode):
            yield from items.value
            return
    yield node


@dataclass(slots=True)
class _Builder:
    """Nodes -> values, with what was wrong on the way."""

    file: str
    wanted: str
    left: int
    """How many more values may be built before aliases are said to blow up."""
    problems: list[Problem] = field(default_factory=list)
    _found: list[tuple[FieldPath, int, str, str]] = field(default_factory=list)
    _open: set[int] = field(default_factory=set)
    _lines: dict[FieldPath, int] = field(default_factory=dict)
    _texts: dict[FieldPath, str] = field(default_factory=dict)
    _broken: bool = False
    """Something of this document could not be built, so judging the rest would mislead."""

    def document(self, node: yaml.Node) -> Document | None:
        """One document, or None; ``problems`` holds what was wrong with this one."""
        self._found, self._lines, self._texts, self.problems = [], {}, {}, []
        self._broken = False
        line = _line(node)
        try:
            value = self._build(node, ())
        except _ExplosionError:
            found = "the aliases of this document expand to more than meshproof reads"
            self.problems = [Problem(self.file, line, "", "", found, "", "write the values out")]
            return None
        if value is None and not self._found:
            return None
        location = Location(self.file, line, self._lines)
        mapping = value if isinstance(value, dict) else {}
        document = Document(mapping, location, self._lines, self._texts)
        for path, at, found, remedy in self._found:
            self.problems.append(
                Problem(self.file, at, document.title, dotted(path), found, "", remedy)
            )
        if not isinstance(value, dict):
            if not self._broken:
                found = "the document is no mapping"
                self.problems.append(document.problem((), found, self.wanted))
            return None
        return None if self._broken else document

    def _build(self, node: yaml.Node, path: FieldPath) -> Any:
        self.left -= 1
        if self.left < 0:
            raise _ExplosionError
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if id(node) in self._open:
            self._say(path, node, "an alias contains itself", "write the value out")
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
            self._lines[at] = _line(item)
            values.append(self._build(item, at))
        return values

    def _mapping(self, node: yaml.MappingNode, path: FieldPath) -> dict[str, Any]:
        values: dict[str, Any] = {}
        seen: dict[str, int] = {}
        merges = []
        for key_node, value_node in node.value:
            line = _line(key_node)
            if key_node.tag == _PLAIN and key_node.value == "<<":
                merges.append(value_node)
                continue
            key = self._key(key_node, path)
            if key is None:
                continue
            at = (*path, key)
            if key in seen:
                found = f"stands twice, in line {seen[key]} and line {line}"
                begins = not path and key in _FIRST
                self._found.append((at, line, found, _SECOND if begins else "keep one"))
            seen[key] = line
            self._lines[at] = line
            values[key] = self._build(value_node, at)
        for merged in merges:
            self._merge(merged, path, values)
        return values

    def _merge(self, node: yaml.Node, path: FieldPath, values: dict[str, Any]) -> None:
        """``<<``: the keys of other mappings, where no key of our own (or an earlier one) is."""
        parts = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for part in parts:
            if not isinstance(part, yaml.MappingNode):
                self._say(path, part, "<< merges something that is no mapping", "")
                continue
            own, self._lines, own_texts, self._texts = self._lines, {}, self._texts, {}
            merged = self._build(part, path)
            for key, value in (merged or {}).items():
                values.setdefault(key, value)
            self._lines = _under(own, self._lines)
            self._texts = _under(own_texts, self._texts)

    def _key(self, node: yaml.Node, path: FieldPath) -> str | None:
        """A key as kubectl makes it a JSON key: a number becomes a text.

        A boolean would become ``true`` or ``false``, which nobody who wrote ``y:`` has meant.
        """
        if not isinstance(node, yaml.ScalarNode):
            self._say(path, node, "a key is no text", _TEMPLATE)
            return None
        value = self._scalar(node, path, record=False)
        if value is None:
            self._say(path, node, "a key is empty", "write the key, or quote it")
            return None
        if isinstance(value, bool) and node.value not in ("true", "false"):
            found = f"the key {node.value} is one that YAML reads as a boolean"
            self._found.append((path, _line(node), found, f'quote it: "{node.value}"'))
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
            self._texts[path] = text
        return value

    def _refuse_tag(self, node: yaml.Node, path: FieldPath) -> None:
        tag = str(node.tag).replace(_TAG, "!!")
        self._say(path, node, f"has the YAML tag {tag}, which kubectl does not know", "remove it")

    def _say(self, path: FieldPath, node: yaml.Node, found: str, remedy: str) -> None:
        self._broken = True
        self._found.append((path, _line(node), found, remedy))


def _under(own: dict[FieldPath, T], merged: dict[FieldPath, T]) -> dict[FieldPath, T]:
    """``own`` itself, with what is merged where it has nothing: the text has many merges."""
    for path, value in merged.items():
        own.setdefault(path, value)
    return own


class _ExplosionError(Exception):
    """Aliases made more values than the text can account for."""
