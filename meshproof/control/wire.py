"""What travels over the control socket, as both ends see it: values and errors as JSON.

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


def encode_error(error: Exception) -> tuple[int, Json]:
    """An HTTP status, and a body with the error's class, its message and every problem."""
    kinds = [kind.__name__ for kind in type(error).__mro__ if kind.__name__ in _STATUS]
    kind = kinds[0] if kinds else "MeshproofError"
    message = str(error) if kinds else f"{type(error).__name__}: {error}"
    body: Json = {"error": kind, "message": message}
    if isinstance(error, Refused):
        body["problems"] = [problem.as_dict() for problem in error.problems]
    return _STATUS[kind], body


def decode_error(body: bytes) -> MeshproofError:
    """The error that the other end raised, of the same class."""
    try:
        content = json.loads(body)
        kind, message = content["error"], content["message"]
    except (ValueError, KeyError, TypeError):
        return MeshproofError(f"the mesh answered: {body[:200].decode(errors='replace')}")
    if kind == "Refused":
        return Refused(Problem(**problem) for problem in content["problems"])
    error: MeshproofError = getattr(errors, kind)(message)
    return error


def to_plain(value: Any) -> Any:
    """Dataclasses as JSON can carry them; one that has ``as_dict`` chooses its own form."""
    if hasattr(value, "as_dict"):
        return value.as_dict()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {key: to_plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(one) for one in value]
    return value


def as_json(value: object) -> Json:
    """``to_plain`` of a dataclass: an object."""
    plain: Json = to_plain(value)
    return plain
