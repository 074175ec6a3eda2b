"""The newest access log lines that contain all search terms, read from the run folder.

It costs the mesh nothing: this process reads the ends of the files, and parses only the lines that
contain the terms.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from meshproof.telemetry import access_log

Json = dict[str, Any]
TAIL_SIZE = 1 << 20
"""Bytes read from the end of each file."""


def read_newest(folder: Path, terms: Sequence[str], limit: int) -> list[Json]:
    """``mesh.AccessRecord`` as mappings, newest first. ``folder`` holds ``*.access.jsonl``.

    A line matches if it, or the name of its proxy, contains every term in any case.
    """
    needles = [term.lower().encode() for term in terms]
    records: list[Json] = []
    for path in sorted(folder.glob("*.access.jsonl")):
        node = path.name.removesuffix(".access.jsonl")
        for line in _last_matches(_tail_lines(path), needles, limit, node.lower().encode()):
            raw = json.loads(line)
            if raw.get("direction") != "probe":
                records.append(asdict(access_log.to_record(raw, node)))
    return sorted(records, key=lambda record: str(record["time"]), reverse=True)[:limit]


def select_newest(records: Sequence[Json], terms: Sequence[str], limit: int) -> list[Json]:
    """The same for records that the mesh itself has read: a cluster's files are not here."""
    needles = [term.lower() for term in terms]

    def matches(record: Json) -> bool:
        text = json.dumps(list(record.values())).lower()
        return all(needle in text for needle in needles)

    newest_first = sorted(records, key=lambda record: str(record["time"]), reverse=True)
    return [record for record in newest_first if matches(record)][:limit]


def _last_matches(
    lines: Sequence[bytes], needles: Sequence[bytes], limit: int, node: bytes
) -> list[bytes]:
    """The last ``limit`` lines with every needle in them, or in the name of their proxy."""
    return list(_matching(reversed(lines), needles, limit, node))


def _matching(
    lines: Iterator[bytes], needles: Sequence[bytes], limit: int, node: bytes
) -> Iterator[bytes]:
    count = 0
    for line in lines:
        if b'"direction":"probe"' in line:
            continue
        lowered = line.lower() if needles else line
        if all(needle in lowered or needle in node for needle in needles):
            yield line
            count += 1
            if count == limit:
                return


def _tail_lines(path: Path) -> list[bytes]:
    """The whole lines in the last ``TAIL_SIZE`` bytes."""
    try:
        with path.open("rb") as log:
            size = log.seek(0, 2)
            log.seek(max(0, size - TAIL_SIZE))
            data = log.read()
    except OSError:  # the replica has ended, and the mesh with it
        return []
    if size > TAIL_SIZE:
        data = data.partition(b"\n")[2]
    return data[: data.rfind(b"\n") + 1].splitlines()
