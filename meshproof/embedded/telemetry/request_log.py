"""The lines of one trace or run in every log, also of replicas that have ended."""

from __future__ import annotations

import asyncio

from meshproof.embedded.engine import Engine
from meshproof.embedded.process_names import writer_of
from meshproof.embedded.telemetry.access_log_tail import wait_written
from meshproof.telemetry.log_lines import LogLine, Wanted, in_order, of_file


async def read_lines(engine: Engine, wanted: Wanted) -> list[LogLine]:
    """In order of beginning; complete for every Envoy that answers."""
    await wait_written(engine)

    def read() -> list[LogLine]:
        lines: list[LogLine] = []
        for path in sorted(engine.context.paths.logs.iterdir()):
            if writer := writer_of(path):
                lines += of_file(path, *writer, wanted)
        return in_order(lines)

    return await asyncio.to_thread(read)
