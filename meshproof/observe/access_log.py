"""Reads the sidecars' access logs: one JSON object a line (keys: translate/access_log)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from meshproof.mesh import AccessRecord


def read(path: Path, sidecar: str, run_id: str = "") -> Iterator[AccessRecord]:
    """The records of one file, oldest first, without the mesh's own marker requests.

    A last line that is still being written (no newline yet) is left for the next reading.
    """
    if not path.exists():
        return
    needle = run_id.encode()
    with path.open("rb") as lines:
        for line in lines:
            if needle not in line or not line.endswith(b"\n"):
                continue
            raw = json.loads(line)
            if raw.get("direction") != "probe" and (not run_id or raw.get("run_id") == run_id):
                yield record(raw, sidecar)


def record(raw: dict[str, Any], sidecar: str) -> AccessRecord:
    """One line's object; a key that is missing or null is empty, or 0."""

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
    )
