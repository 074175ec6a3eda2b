"""Every log's lines of one trace or run, of replicas that ended too."""

from __future__ import annotations

import asyncio
from pathlib import Path

from meshproof.embedded.engine import Engine
from meshproof.embedded.process_names import owner_of
from meshproof.embedded.telemetry.access_log_tail import flushed
from meshproof.telemetry.log_lines import LogLine, Part, Wanted, in_order, of_file


async def lines(engine: Engine, wanted: Wanted) -> list[LogLine]:
    """In order of beginning; complete for every Envoy that answers."""
    await flushed(engine)

    def read() -> list[LogLine]:
        found: list[LogLine] = []
        for path in sorted(engine.runtime.files.logs.iterdir()):
            if whose := writer_of(path):
                found += of_file(path, *whose, wanted)
        return in_order(found)

    return await asyncio.to_thread(read)


def writer_of(path: Path) -> tuple[str, Part] | None:
    """Who wrote a log, by its name; None for what an Envoy says of itself."""
    if path.name.endswith(".access.jsonl"):
        return path.name.removesuffix(".access.jsonl"), "sidecar"
    if path.name.endswith(".envoy.log") or path.suffix != ".log":
        return None
    return owner_of(path.stem)
