"""YAML text to documents, each with the line of every field.

Values are those that kubectl would send (``scalars``). Duplicate keys, unknown tags, aliases that
explode or contain themselves, and documents that are no mapping are problems.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import yaml

from meshproof.errors import Problem
from meshproof.sources import yaml_errors
from meshproof.sources.location import FieldPath, Location, dotted
from meshproof.sources.yaml_nodes import AliasExplosionError, Loader, NodeBuilder, line_of

_MAX_DEPTH = 200
_SAFE_DEPTH = 3000
"""Nesting that the parser's own recursion survives with a thread's usual stack."""
_ALIAS_ALLOWANCE = 100_000
"""Values that aliases may add to what the text itself holds."""


@dataclass(slots=True)
class Document:
    """One document as plain data, with the line and the written text of each field."""

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


_OBJECT = "a mapping with apiVersion, kind and metadata"


def read_documents(
    text: str, file: str, expected: str = _OBJECT
) -> tuple[list[Document], list[Problem]]:
    """All documents of a text, ``kind: List`` expanded, empty ones left out; never raises.

    Broken YAML is one problem, and the documents before it are still there.
    """
    documents: list[Document] = []
    problems: list[Problem] = []
    if too_deep := _check_depth(text, file):
        return [], [too_deep]
    builder = NodeBuilder(len(text) + _ALIAS_ALLOWANCE)
    loader = None
    try:
        loader = Loader(text)
        while loader.check_node():
            for node in _items(cast("yaml.Node", loader.get_node())):
                document, invalid = _build_document(builder, node, file, expected)
                problems += invalid
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


def _check_depth(text: str, file: str) -> Problem | None:
    """Bounds nesting before composing: libyaml's composer recurses, and would crash."""
    longest = max((len(line) for line in text.splitlines()), default=0)
    if text.count("[") + text.count("{") + 2 * longest < _SAFE_DEPTH:
        return None
    depth = 0
    try:
        for event in yaml.parse(text, Loader=Loader):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > _MAX_DEPTH:
                    line = line_of(event)
                    message = f"is nested more than {_MAX_DEPTH} levels deep"
                    return Problem(file, line, "", "", message, "", "")
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
    except (yaml.YAMLError, UnicodeEncodeError):
        return None  # the composer reports it better, with the documents before it
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


def _build_document(
    builder: NodeBuilder, node: yaml.Node, file: str, expected: str
) -> tuple[Document | None, list[Problem]]:
    """One document, or None for an empty one and one with problems that break it."""
    line = line_of(node)
    try:
        value = builder.build(node)
    except AliasExplosionError:
        message = "the aliases of this document expand to more than meshproof reads"
        return None, [Problem(file, line, "", "", message, "", "write the values out")]
    if value is None and not builder.errors:
        return None, []
    location = Location(file, line, builder.lines)
    is_mapping = isinstance(value, dict)
    document = Document(value if is_mapping else {}, location, builder.lines, builder.texts)
    problems = [
        Problem(file, at, document.title, dotted(path), message, "", remedy)
        for path, at, message, remedy in builder.errors
    ]
    if not is_mapping and not builder.broken:
        problems.append(document.problem((), "the document is not a mapping", expected))
    return document if is_mapping and not builder.broken else None, problems
