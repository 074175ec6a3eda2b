"""A case of a suite, with the requests that its ported form lacks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

Call = dict[str, Any]


class Case(NamedTuple):
    """A part of a ported case: its configuration and calls. ``config`` is None for the ported
    one's own, whose calls of other names stay."""

    group: str
    name: str
    config: str | None
    calls: Sequence[Call]


def call(name: str, caller: str, check: list[Any], **request: Any) -> Call:
    """One request, and one check of its answers by the suites' own name of it."""
    return {"name": name, "from": caller, "req": {"timeout": 3, **request}, "check": [check]}
