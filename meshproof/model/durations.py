"""Durations as Istio writes them: ``15s``, ``250ms``, ``1m30s``; seconds in Python."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    PlainSerializer,
    ValidationInfo,
)

_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(h|ms|us|µs|ns|m|s)")


_UNIT = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


_EXPECTED = "a string such as 2s, 250ms or 1m30s"


FROM_YAML = {"from": "yaml"}
"""Validation context for YAML, where a number is not a duration, as it is in Python code."""


def parse_duration(value: Any) -> float:
    """The seconds of a Go-style duration such as ``1.5s``, ``100ms`` or ``1m30s``.

    Raises ValueError for anything else. Protobuf's and Go's formats are both texts, never numbers.
    """
    if isinstance(value, float):  # already parsed: models are re-validated when copied
        return value
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a duration; wanted {_EXPECTED}")
    if value == "0":
        return 0.0
    parts = list(_PART.finditer(value))
    if not parts or "".join(p.group(0) for p in parts) != value:
        raise ValueError(f'"{value}" is not a duration; wanted {_EXPECTED}')
    return sum(float(p.group(1)) * _UNIT[p.group(2)] for p in parts)


def format_duration(seconds: float) -> str:
    """The shortest text of ``seconds`` that ``parse_duration`` and Go read: 15s, 250ms, 1.5s."""
    for unit in ("s", "ms", "us", "ns"):
        count = round(seconds / _UNIT[unit], 9)
        if count == int(count):
            return f"{int(count)}{unit}"
    return f"{seconds:.9f}s"


def _check_duration(value: Any, info: ValidationInfo) -> float:
    if isinstance(value, float) and info.context == FROM_YAML:
        raise ValueError(f"{value!r} is not a duration; wanted {_EXPECTED}")
    return parse_duration(value)


Duration = Annotated[
    float,
    BeforeValidator(_check_duration),
    PlainSerializer(format_duration, return_type=str, when_used="json"),
]
"""In seconds; a text such as ``15s`` in JSON and YAML."""
