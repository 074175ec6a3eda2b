"""Fills ``${name}`` in a case: from the file's parameters, and from each row of its table. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from meshproof.cases.case import Place
from meshproof.errors import Problem
from meshproof.sources.location import FieldPath

_NAME = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class FilledCase:
    """A case as plain data without placeholders; ``row`` counts from 1, 0 without a table."""

    value: dict[str, Any]
    row: int = 0


def fill_case(
    value: Mapping[str, Any], parameters: Mapping[str, Any], place: Place, problems: list[Problem]
) -> list[FilledCase]:
    """The case once for each row of its table; more problems for rows that cannot fill it."""
    body = {k: v for k, v in value.items() if k != "table"}
    names = dict(_names(body))
    table = value.get("table")
    if table is None:
        missing = [(name, path) for name, path in names.items() if name not in parameters]
        for name, path in missing:
            problems.append(
                place.problem(
                    path,
                    f"uses ${{{name}}}, which nothing fills in",
                    "a name of parameters or a column of a table",
                    _known(parameters),
                )
            )
        return [] if missing else [FilledCase(_fill(body, parameters))]
    if not isinstance(table, list) or not table or not all(isinstance(r, dict) for r in table):
        problems.append(
            place.problem(
                ("table",), "is no table", "a list of rows, each a mapping of column to value", ""
            )
        )
        return []
    if _check_columns(table, names, parameters, place, problems):
        return []
    return [
        FilledCase(_fill(body, {**parameters, **row}), number)
        for number, row in enumerate(table, 1)
    ]


def _check_columns(
    table: list[dict[str, Any]],
    names: Mapping[str, FieldPath],
    parameters: Mapping[str, Any],
    place: Place,
    problems: list[Problem],
) -> bool:
    """Whether there are problems: a row without a column, or a column that nothing uses."""
    before = len(problems)
    columns = {column for row in table for column in row}
    for number, row in enumerate(table):
        wanted_columns = {n for n in names if n not in parameters} | columns
        for column in sorted(wanted_columns - row.keys()):
            problems.append(
                place.problem(
                    ("table", number),
                    f"has no column {column}",
                    ", ".join(sorted(wanted_columns)),
                    f"add {column} to this row",
                )
            )
    for column in sorted(columns - names.keys()):
        problems.append(
            place.problem(
                ("table",),
                f"has a column {column}, which no ${{{column}}} of this case uses",
                ", ".join(sorted(names)) or "no table",
                f"use ${{{column}}}, or leave it out",
            )
        )
    return len(problems) > before


def _known(parameters: Mapping[str, Any]) -> str:
    return f"there is {', '.join(sorted(parameters))}" if parameters else ""


def _names(value: Any, path: FieldPath = ()) -> Iterator[tuple[str, FieldPath]]:
    """Every placeholder, and where it stands."""
    if isinstance(value, str):
        for name in _NAME.findall(value):
            yield name, path
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _names(key, (*path, key))
            yield from _names(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _names(item, (*path, index))


def _fill(value: Any, values: Mapping[str, Any]) -> Any:
    """A text that is one placeholder becomes the value itself, with its type."""
    if isinstance(value, dict):
        return {_fill_text(k, values): _fill(v, values) for k, v in value.items()}
    if isinstance(value, list):
        return [_fill(item, values) for item in value]
    if isinstance(value, str):
        whole = _NAME.fullmatch(value)
        return values[whole[1]] if whole else _fill_text(value, values)
    return value


def _fill_text(text: Any, values: Mapping[str, Any]) -> Any:
    if not isinstance(text, str):
        return text
    return _NAME.sub(lambda match: _as_text(values[match[1]]), text)


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
