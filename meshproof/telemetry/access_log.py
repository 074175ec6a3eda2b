"""Reads the access logs of sidecars: one JSON object a line."""

from __future__ import annotations

import contextlib
import json
import mmap
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from meshproof.mesh import AccessRecord


def read(path: Path, sidecar: str, run_id: str = "", start: int = 0) -> Iterator[AccessRecord]:
    """The records of one file, oldest first, without the mesh's own marker requests.

    Only of lines that begin at byte ``start`` or later. An unfinished last line (no newline yet)
    is left for the next call.
    """
    needle = run_id.encode()
    with contextlib.suppress(FileNotFoundError), path.open("rb") as lines:
        lines.seek(_first_line(lines.fileno(), needle, start))
        for line in lines:
            if needle not in line or not line.endswith(b"\n"):
                continue
            raw = json.loads(line)
            if raw.get("direction") != "probe" and (not run_id or raw.get("run_id") == run_id):
                yield to_record(raw, sidecar)


def _first_line(file: int, needle: bytes, start: int) -> int:
    """The offset of the first line from ``start`` on that may contain ``needle``, or the end.

    The log of a session is long, and the lines of a run are next to each other: searching for the
    first one is many times quicker than looking at every line before it.
    """
    size = os.fstat(file).st_size
    if start >= size:
        return size
    with mmap.mmap(file, size, access=mmap.ACCESS_READ) as text:
        if start and text[start - 1 : start] != b"\n":
            start = text.find(b"\n", start) + 1 or size
        match = text.find(needle, start)
        return size if match < 0 else max(start, text.rfind(b"\n", start, match) + 1)


def to_record(raw: dict[str, Any], sidecar: str) -> AccessRecord:
    """The object of one line as a record; a key that is missing or null becomes empty, or 0."""

    def text(key: str) -> str:
        value = raw.get(key)
        return "" if value is None else str(value)

    def number(key: str) -> int:
        value = raw.get(key)
        return int(value) if isinstance(value, int | float) else 0

    return AccessRecord(
        sidecar=sidecar,
        direction=text("direction"),
        time=text("time"),
        method=text("method"),
        path=text("path"),
        authority=text("authority"),
        code=number("code"),
        flags=text("flags") or "-",
        details=text("details"),
        duration_ms=number("duration_ms"),
        upstream_cluster=text("upstream_cluster"),
        upstream_host=text("upstream_host"),
        route=text("route"),
        request_id=text("request_id"),
        trace_id=text("trace_id"),
        run_id=text("run_id"),
        attempts=number("attempts"),
        final_path=text("final_path"),
    )
