"""What travels over the control socket, as both ends see it: paths, and errors as JSON.

Imports nothing heavy: the client's start is most of what a user waits for.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from meshproof import errors
from meshproof.errors import MeshproofError, Problem, Refused

Json = dict[str, Any]

_STATUS: Mapping[str, int] = {
    "Refused": 422,
    "UsageError": 400,
    "NotLive": 409,
    "Unsupported": 501,
    "MeshproofError": 500,
}


def error_of(failure: Exception) -> tuple[int, Json]:
    """An HTTP status and the body that says what failed, with every problem's fields."""
    kinds = [kind.__name__ for kind in type(failure).__mro__ if kind.__name__ in _STATUS]
    kind = kinds[0] if kinds else "MeshproofError"
    text = str(failure) if kinds else f"{type(failure).__name__}: {failure}"
    body: Json = {"error": kind, "message": text}
    if isinstance(failure, Refused):
        body["problems"] = [problem.as_dict() for problem in failure.problems]
    return _STATUS[kind], body


def raised_by(body: bytes) -> MeshproofError:
    """The error that the other end raised, as the same class."""
    try:
        said = json.loads(body)
        kind, text = said["error"], said["message"]
    except (ValueError, KeyError, TypeError):
        return MeshproofError(f"the mesh answered: {body[:200].decode(errors='replace')}")
    if kind == "Refused":
        return Refused(Problem(**problem) for problem in said["problems"])
    made: MeshproofError = getattr(errors, kind)(text)
    return made


def plain(value: Any) -> Any:
    """Dataclasses as JSON can carry them; what has ``as_dict`` says itself how it looks."""
    if hasattr(value, "as_dict"):
        return value.as_dict()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value
