"""Every kind's models with their fields, and how each field is honoured. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from meshproof.model import api_fields
from meshproof.model.base_model import Model
from meshproof.model.kinds import Kind
from meshproof.model.kube_fields import NoEffect
from meshproof.model.model_fields import fields_by_name
from tools.fidelity.differences import DIFFERENCES

_MARKS = {"one": "", "list": "[]", "map": "{}"}


@dataclass(frozen=True, slots=True)
class Part:
    """One model, at its first position in its kind."""

    path: str
    honoured: tuple[str, ...]
    differs: Mapping[str, str]
    """Field -> the difference, and the reason."""
    no_effect: Mapping[str, str]
    """Accepted without effect: field -> what a user misses, or empty."""
    refused: tuple[str, ...]
    refused_values: Mapping[str, tuple[str, ...]]


def survey(kind: Kind) -> list[Part]:
    """The parts of a kind, outer ones first."""
    return [_part(model, path) for model, path in _models(kind)]


def _models(kind: Kind) -> Iterator[tuple[type[Model], str]]:
    queue: list[tuple[type[Model], str]] = [(kind.model, kind.body)]
    visited: set[type[Model]] = set()
    while queue:
        model, path = queue.pop(0)
        if model in visited:
            continue
        visited.add(model)
        yield model, path
        for name, part in fields_by_name(model).items():
            if part.model is not None:
                at = f"{name}{_MARKS[part.holds]}"
                queue.append((part.model, f"{path}.{at}" if path else at))


def _part(model: type[Model], path: str) -> Part:
    fields = {info.alias or name: info for name, info in model.model_fields.items()}
    idle = {name: mark for name, info in fields.items() if (mark := _mark(info))}
    keys = {name: api_fields.key_of(model, name) for name in fields}
    differs = {name: DIFFERENCES[key] for name, key in keys.items() if key in DIFFERENCES}
    return Part(
        path=path,
        honoured=tuple(n for n in fields if n not in differs and n not in idle),
        differs=differs,
        no_effect={n: mark.meaning for n, mark in idle.items() if not mark.silent},
        refused=tuple(sorted(api_fields.fields_of(model) - set(fields))),
        refused_values=dict(_values(model, fields)),
    )


def _mark(info: FieldInfo) -> NoEffect | None:
    return next((m for m in info.metadata if isinstance(m, NoEffect)), None)


def _values(
    model: type[Model], fields: Mapping[str, FieldInfo]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, info in fields.items():
        missing = api_fields.values_of(model, name) - set(_literals(info.annotation))
        if missing:
            yield name, tuple(sorted(missing))


def _literals(annotation: Any) -> Iterator[Any]:
    if get_origin(annotation) is Literal:
        yield from get_args(annotation)
    else:
        for inner in get_args(annotation):
            yield from _literals(inner)
