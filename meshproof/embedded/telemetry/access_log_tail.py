"""The newest lines of the access logs: read from where the last reading ended."""

from __future__ import annotations

import asyncio
import json
import secrets
from pathlib import Path

from meshproof.embedded.engine import Engine
from meshproof.embedded.telemetry import evidence
from meshproof.errors import MeshproofError, UsageError
from meshproof.mesh import AccessRecord, Tail
from meshproof.telemetry import access_log

NOW = "now"


async def tail(engine: Engine, host: str, cursor: str) -> Tail:
    """Calls to ``host`` that callers logged since ``cursor``: empty is the beginning, ``now`` the
    present end, anything else what an earlier answer gave. Raises UsageError for another text.

    Complete for every Envoy that answers; of one that does not, what it has written is read.
    """
    offsets = {} if cursor in ("", NOW) else _offsets(cursor)
    await flushed(engine)

    def read() -> Tail:
        records: list[AccessRecord] = []
        for path in engine.runtime.files.access_logs():
            start = path.stat().st_size if cursor == NOW else offsets.get(path.name, 0)
            found, offsets[path.name] = _read(path, host, start)
            records += found
        return Tail(tuple(records), json.dumps(offsets))

    return await asyncio.to_thread(read)


async def flushed(engine: Engine) -> None:
    """Return when every Envoy that answers has written all that it has logged by now."""
    marker = secrets.token_hex(8)
    paths = {e: engine.runtime.files.access_log(e.node) for e in evidence.envoys(engine)}
    said = await asyncio.gather(
        *(evidence.written(e, path, marker) for e, path in paths.items()), return_exceptions=True
    )
    for error in said:
        if error is not None and not isinstance(error, MeshproofError):
            raise error


def _read(path: Path, host: str, start: int) -> tuple[list[AccessRecord], int]:
    """Records of the whole lines from ``start`` on, and where the last of those ends."""
    node, needle = path.name.removesuffix(".access.jsonl"), f'|{host}"'.encode()
    with path.open("rb") as log:
        log.seek(start)
        data = log.read()
    data = data[: data.rfind(b"\n") + 1]
    lines = (json.loads(line) for line in data.splitlines() if needle in line)
    calls = [r for r in lines if r.get("upstream_cluster", "").endswith(f"|{host}")]
    return [access_log.record(raw, node) for raw in calls], start + len(data)


def _offsets(cursor: str) -> dict[str, int]:
    try:
        found = json.loads(cursor)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(n, int) for n in found.values()):
        raise UsageError(f"cursor {cursor[:60]!r}: wanted one that an earlier answer gave")
    return found
