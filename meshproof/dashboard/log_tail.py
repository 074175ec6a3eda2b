"""The newest access log lines that hold given words, read from the files in the run folder.

Costs the mesh nothing: the files are read in this process, from their ends, and only the lines
that hold the words are parsed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from meshproof.telemetry import access_log

Json = dict[str, Any]
READ = 1 << 20
"""Bytes read from the end of each file."""


def newest(folder: Path, words: Sequence[str], limit: int) -> list[Json]:
    """``mesh.AccessRecord`` as mappings, newest first. ``folder`` holds ``*.access.jsonl``.

    A line matches when it holds each word, whatever the case.
    """
    needles = [word.lower().encode() for word in words]
    found: list[Json] = []
    for path in sorted(folder.glob("*.access.jsonl")):
        node = path.name.removesuffix(".access.jsonl")
        for line in _last(_lines(path), needles, limit, node.lower().encode()):
            raw = json.loads(line)
            if raw.get("direction") != "probe":
                found.append(asdict(access_log.to_record(raw, node)))
    return sorted(found, key=lambda record: str(record["time"]), reverse=True)[:limit]


def chosen(records: Sequence[Json], words: Sequence[str], limit: int) -> list[Json]:
    """The same out of records that the mesh itself has read, where its files are elsewhere."""
    wanted = [word.lower() for word in words]

    def fits(record: Json) -> bool:
        text = json.dumps(list(record.values())).lower()
        return all(word in text for word in wanted)

    newest_first = sorted(records, key=lambda record: str(record["time"]), reverse=True)
    return [record for record in newest_first if fits(record)][:limit]


def _last(lines: Sequence[bytes], needles: Sequence[bytes], limit: int, node: bytes) -> list[bytes]:
    """The last ``limit`` lines with each needle in them, or in the name of their proxy."""
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


def _lines(path: Path) -> list[bytes]:
    """The whole lines in the last ``READ`` bytes."""
    try:
        with path.open("rb") as log:
            size = log.seek(0, 2)
            log.seek(max(0, size - READ))
            data = log.read()
    except OSError:  # its replica has ended, and the mesh with it
        return []
    if size > READ:
        data = data.partition(b"\n")[2]
    return data[: data.rfind(b"\n") + 1].splitlines()
