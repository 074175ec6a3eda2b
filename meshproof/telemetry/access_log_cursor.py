"""Where a reading of access logs ended, as ``SupportsRelease.tail`` hands it out: opaque text."""

from __future__ import annotations

import json
from collections.abc import Mapping

from meshproof.errors import UsageError

NOW = "now"
"""The current end of every log."""


def parse(cursor: str) -> dict[str, int]:
    """By log, where the last reading ended; none for the empty cursor and for ``NOW``. Raises
    UsageError for text that ``render`` did not give."""
    if cursor in ("", NOW):
        return {}
    try:
        offsets = json.loads(cursor)
    except ValueError:
        offsets = None
    if not isinstance(offsets, dict) or not all(isinstance(n, int) for n in offsets.values()):
        raise UsageError(f"cursor {cursor[:60]!r}: wanted one that an earlier answer gave")
    return offsets


def render(offsets: Mapping[str, int]) -> str:
    return json.dumps(offsets)
