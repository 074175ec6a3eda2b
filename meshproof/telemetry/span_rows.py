"""What a search needs of a span, small: the index keeps this of every span, and no tag.

Plain tuples of texts and numbers: Python's garbage collector leaves those alone, and a mesh with a
hundred thousand of them does not stand still for it.
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
