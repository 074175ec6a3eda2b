"""The lines of one trace or run in every log, also of replicas that have ended."""

from __future__ import annotations

import asyncio

from meshproof.embedded.engine import Engine
from meshproof.embedded.process_names import writer_of
from meshproof.embedded.telemetry.access_log_tail import wait_written
from meshproof.telemetry.log_lines import LineFilter, LogLine, read_file, sort_lines


async def read_lines(engine: Engine, selection: LineFilter) -> list[LogLine]:
    """In order of beginning; complete for every Envoy that answers."""
    await wait_written(engine)

    def read() -> list[LogLine]:
        lines: list[LogLine] = []
        for path in sorted(engine.context.paths.logs.iterdir()):
            if writer := writer_of(path):
                lines += read_file(path, *writer, selection)
        return sort_lines(lines)

    return await asyncio.to_thread(read)
