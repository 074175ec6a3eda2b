"""The fields of a span that the index keeps, without its tags.

Plain tuples of strings and numbers, which Python's garbage collector does not track: a hundred
thousand of them do not slow the mesh down.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from meshproof.telemetry.zipkin_json import remote, service

Row = tuple[str, str, str, str, str, str, str, int, int, bool, bool]
"""Trace id, span id, parent id, kind, service, name, remote service, start, duration, whether it
failed, whether it is a SERVER span that has its CLIENT's id. Times in microseconds; empty texts for
what is missing."""


def row_of(raw: Mapping[str, Any]) -> Row:
    """``raw`` is a span as Zipkin's JSON has it."""
    return (
        sys.intern(raw["traceId"]),
        raw["id"],
        raw.get("parentId") or "",
        raw.get("kind") or "",
        sys.intern(service(raw)),
        sys.intern(raw.get("name") or ""),
        sys.intern(remote(raw)),
        raw.get("timestamp") or 0,
        raw.get("duration") or 0,
        "error" in (raw.get("tags") or {}),
        bool(raw.get("shared")),
    )
