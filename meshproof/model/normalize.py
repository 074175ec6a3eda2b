"""Prepares a document's plain data for its model: drops nulls, unifies 0.4's spellings.

A null means "not set", as it does to a Kubernetes API server. Istio 0.4 read protobuf's JSON, in
which ``simple_retry`` and ``simpleRetry`` are one field. Only keys that are fields are changed,
never the keys of maps such as labels and headers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic.alias_generators import to_camel

from meshproof.model.api_fields import fields_of
from meshproof.model.base_model import Model
from meshproof.model.model_fields import ModelField, fields_by_name
from meshproof.sources.location import FieldPath


@dataclass(slots=True)
class NormalizedValue:
    """``value`` for the model; ``spelled`` maps its paths to the keys that the user wrote."""

    value: Any = None
    spelled: dict[FieldPath, str] = field(default_factory=dict)
    clashes: list[tuple[FieldPath, str]] = field(default_factory=list)
    """Fields given in both spellings: the path of the second, and the key of the first."""

    def as_written(self, path: FieldPath) -> FieldPath:
        """A path of ``value`` in the user's own spelling."""
        if not self.spelled:
            return path
        return tuple(self.spelled.get(path[: i + 1], key) for i, key in enumerate(path))


def normalize(
    model: type[Model], value: Any, *, base: FieldPath = (), snake_case: bool = False
) -> NormalizedValue:
    """``value`` is at ``base`` of its document; all paths start at the document."""
    prepared = NormalizedValue()
    prepared.value = _normalize_mapping(model, value, base, prepared if snake_case else None)
    return prepared


def add_spellings(by_path: dict[FieldPath, Any], prepared: NormalizedValue) -> None:
    """Add the unified spelling of every path to a map by paths."""
    unified = {prepared.as_written(path): path[-1] for path in prepared.spelled}
    if not unified:
        return
    for path, value in list(by_path.items()):
        new = tuple(unified.get(path[: i + 1], key) for i, key in enumerate(path))
        by_path.setdefault(new, value)


def _normalize_mapping(
    model: type[Model], value: Any, path: FieldPath, log: NormalizedValue | None
) -> Any:
    if not isinstance(value, dict):
        return value
    table = fields_by_name(model)
    ready: dict[str, Any] = {}
    for key, item in value.items():
        name = key
        if log is not None and "_" in key and key not in table:
            name = _unify_spelling(model, table, key)
        field_path = (*path, name)
        if log is not None and name in ready:
            log.clashes.append(((*path, key), log.spelled.get(field_path) or name))
        if log is not None and name != key:
            log.spelled[field_path] = key
        part = table.get(name)
        if part is None or item is not None:
            ready[name] = item if part is None else _normalize_field(part, item, field_path, log)
    return ready


def _normalize_field(
    part: ModelField, item: Any, path: FieldPath, log: NormalizedValue | None
) -> Any:
    if part.model is None:
        return item
    model = part.model
    if part.holds == "list" and isinstance(item, list):
        return [_normalize_mapping(model, entry, (*path, i), log) for i, entry in enumerate(item)]
    if part.holds == "map" and isinstance(item, dict):
        return {
            key: _normalize_mapping(model, entry, (*path, key), log) for key, entry in item.items()
        }
    return _normalize_mapping(model, item, path, log) if part.holds == "one" else item


def _unify_spelling(model: type[Model], table: Mapping[str, ModelField], key: str) -> str:
    camel = to_camel(key)
    return camel if camel in table or camel in fields_of(model) else key
