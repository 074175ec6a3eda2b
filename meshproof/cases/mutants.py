"""Mutants: a rule with one field altered, or one entry left out. Pure."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from meshproof.cases.model import parse_seconds
from meshproof.model.resource import Resource
from meshproof.sources.location import FieldPath, dotted

_UNNAMED = ("name", "statPrefix")
"""Fields that steer no request."""
_OPPOSITES = {
    "ALLOW": "DENY",
    "DENY": "ALLOW",
    "STRICT": "DISABLE",
    "PERMISSIVE": "STRICT",
    "DISABLE": "STRICT",
    "ISTIO_MUTUAL": "DISABLE",
    "MESH_EXTERNAL": "MESH_INTERNAL",
    "MESH_INTERNAL": "MESH_EXTERNAL",
    "ROUND_ROBIN": "RANDOM",
    "LEAST_REQUEST": "ROUND_ROBIN",
    "RANDOM": "ROUND_ROBIN",
    "REGISTRY_ONLY": "ALLOW_ANY",
    "ALLOW_ANY": "REGISTRY_ONLY",
    "DNS": "NONE",
    "HTTP": "TCP",
    "GET": "PUT",
    "POST": "PUT",
}
_DURATION = re.compile(r"(\d+(\.\d+)?(ms|s|m|h))+")
_SHIFT = 10


@dataclass(frozen=True, slots=True)
class Mutant:
    """``manifest`` is the rule with one change at ``path``."""

    rule: Resource
    path: FieldPath
    change: str
    manifest: Mapping[str, Any]

    @property
    def field(self) -> str:
        return dotted(self.path)

    @property
    def line(self) -> int:
        return self.rule.location.line_of(self.path)


def mutants(rule: Resource, subsets: Sequence[str] = ()) -> Iterator[Mutant]:
    """Every mutant of a rule; ``subsets`` are the names that a subset can be replaced by."""
    spec = rule.manifest.get("spec")
    for path, change, value in _changes(spec, ("spec",), subsets):
        manifest = copy.deepcopy(rule.manifest)
        _replace(manifest, path, value)
        yield Mutant(rule, path, change, manifest)


@dataclass(frozen=True, slots=True)
class _Removal:
    """In place of a value: the field or the entry is left out."""


_Change = tuple[FieldPath, str, Any]


def _changes(value: Any, path: FieldPath, subsets: Sequence[str]) -> Iterator[_Change]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key in _UNNAMED:
                continue
            if isinstance(item, dict | list) and item:
                yield (*path, key), "left out", _Removal()
            yield from _changes(item, (*path, key), subsets)
    elif isinstance(value, list):
        yield from _list_changes(value, path, subsets)
    elif value is not None:
        yield from _leaf_changes(value, path, subsets)


def _list_changes(value: list[Any], path: FieldPath, subsets: Sequence[str]) -> Iterator[_Change]:
    if len(value) > 1:
        for index in range(len(value)):
            yield (*path, index), "left out", _Removal()
    weights = [e.get("weight") for e in value if isinstance(e, dict)]
    if len(weights) > 1 and all(isinstance(w, int) for w in weights):
        heaviest = max(range(len(weights)), key=lambda i: weights[i] or 0)
        other = (heaviest + 1) % len(weights)
        shifted = copy.deepcopy(value)
        points = min(_SHIFT, shifted[heaviest]["weight"])
        shifted[heaviest]["weight"] -= points
        shifted[other]["weight"] += points
        yield path, f"{points} points of weight moved from [{heaviest}] to [{other}]", shifted
    for index, entry in enumerate(value):
        yield from _changes(entry, (*path, index), subsets)


def _leaf_changes(value: Any, path: FieldPath, subsets: Sequence[str]) -> Iterator[_Change]:
    if path[-1] == "weight":
        return  # weights of a list are moved together
    if isinstance(value, bool):
        yield path, f"{str(value).lower()} is {str(not value).lower()}", not value
    elif isinstance(value, int | float):
        yield path, f"{value:g} is {_other_number(value):g}", _other_number(value)
    elif isinstance(value, str):
        for other in _other_texts(value, path, subsets):
            yield path, f"{_short(value)} is {_short(other)}", other


def _other_number(value: float) -> float:
    """Still a valid percentage, status or port in most places."""
    return value - 1 if value >= 100 else value + 1


def _other_texts(value: str, path: FieldPath, subsets: Sequence[str]) -> Iterator[str]:
    if path[-1] == "subset":
        yield from (s for s in subsets if s != value)
    elif value in _OPPOSITES:
        yield _OPPOSITES[value]
    elif _DURATION.fullmatch(value):
        yield f"{2 * parse_seconds(value):g}s"
    elif value.startswith("*"):
        yield f"other-{value.lstrip('*.')}" if len(value) > 1 else "other.test"
    elif value.endswith("*"):
        yield f"{value[:-1]}other*"
    elif path[-1] == "regex":
        yield f"other{value}"
    elif "\n" not in value:
        yield f"{value}-other"


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}..."


def _replace(manifest: Any, path: FieldPath, value: Any) -> None:
    *parents, last = path
    for step in parents:
        manifest = manifest[step]
    if isinstance(value, _Removal):
        del manifest[last]
    else:
        manifest[last] = value
