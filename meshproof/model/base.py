"""The ground that every typed model stands on: strict, closed, immutable; and Istio's scalars.

``strict`` means that ``weight: "50"`` and ``name: yes`` are errors, as they are to a Kubernetes
API server; ``extra="forbid"`` means that a field that is not listed here is refused by name.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationInfo,
)
from pydantic.alias_generators import to_camel

_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(h|ms|us|µs|ns|m|s)")
_UNIT = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_DURATIONS = "a text such as 2s, 250ms or 1m30s"

FROM_YAML = {"from": "yaml"}
"""Validation context of a reader: a number is no duration there, though it is in Python code."""


class Model(BaseModel):
    """A Kubernetes object or a part of one: camelCase in YAML, snake_case in Python."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        validate_by_name=False,
        validate_by_alias=True,
        hide_input_in_errors=False,
    )


class FieldError(ValueError):
    """A ValueError of a model's own check that points at ``path`` below that model."""

    def __init__(self, message: str, *path: str | int) -> None:
        super().__init__(message)
        self.path = path


def parse_duration(value: Any) -> float:
    """Seconds of a Go-style duration text such as ``1.5s``, ``100ms`` or ``1m30s``.

    Raises ValueError for anything else; protobuf's and Go's forms are both texts, never numbers.
    """
    if isinstance(value, float):  # already parsed: models are re-validated when copied
        return value
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a duration; wanted {_DURATIONS}")
    if value == "0":
        return 0.0
    parts = list(_PART.finditer(value))
    if not parts or "".join(p.group(0) for p in parts) != value:
        raise ValueError(f'"{value}" is not a duration; wanted {_DURATIONS}')
    return sum(float(p.group(1)) * _UNIT[p.group(2)] for p in parts)


def format_duration(seconds: float) -> str:
    """The shortest text of ``seconds`` that ``parse_duration`` and Go read: 15s, 250ms, 1.5s."""
    for unit in ("s", "ms", "us", "ns"):
        count = round(seconds / _UNIT[unit], 9)
        if count == int(count):
            return f"{int(count)}{unit}"
    return f"{seconds:.9f}s"


_RE2 = "what RE2 knows, which has no look-around and no back-references"


def regex_problem(text: str) -> str:
    """Why RE2, with which Envoy matches, does not take an expression; empty where it does."""
    import re2  # noqa: PLC0415  # loaded when the first expression is

    options = re2.Options()
    options.log_errors = False  # else C++ writes to standard error
    try:
        re2.compile(text, options)
    except re2.error as error:
        reason = error.args[0]
        said = reason.decode() if isinstance(reason, bytes) else str(reason)
        return f'"{text}" is not an RE2 regular expression: {said}; wanted {_RE2}'
    return ""


def _check_regex(value: Any) -> Any:
    """RE2 itself is asked; the mesh never sees a bad expression."""
    if isinstance(value, str) and (problem := regex_problem(value)):
        raise ValueError(problem)
    return value


def _duration(value: Any, info: ValidationInfo) -> float:
    if isinstance(value, float) and info.context == FROM_YAML:
        raise ValueError(f"{value!r} is not a duration; wanted {_DURATIONS}")
    return parse_duration(value)


Duration = Annotated[
    float,
    BeforeValidator(_duration),
    PlainSerializer(format_duration, return_type=str, when_used="json"),
]
"""Seconds; a text such as ``15s`` in JSON and YAML."""
Regex = Annotated[str, BeforeValidator(_check_regex)]
Port = Annotated[int, Field(ge=1, le=65535)]
Labels = dict[str, str]
