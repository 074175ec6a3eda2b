"""The newest lines of the access logs: read from where the last reading ended."""

from __future__ import annotations

import asyncio
import json
import secrets
from pathlib import Path

from meshproof.embedded.engine import Engine
from meshproof.embedded.process_names import node_of
from meshproof.embedded.telemetry import evidence, upstream_hosts
from meshproof.errors import MeshproofError
from meshproof.istio_names import ClusterName
from meshproof.mesh import AccessRecord, Tail
from meshproof.telemetry import access_log, access_log_cursor
from meshproof.telemetry.access_log_cursor import NOW


async def read_tail(engine: Engine, host: str, cursor: str) -> Tail:
    """Calls to ``host`` that callers logged since ``cursor``: empty is the beginning, ``now`` the
    current end, anything else what an earlier call returned. Raises UsageError for other text.

    Complete for every Envoy that answers; of one that does not, what it has written is read.
    """
    offsets = access_log_cursor.parse(cursor)
    await wait_written(engine)

    def read() -> Tail:
        records: list[AccessRecord] = []
        for path in engine.context.paths.access_logs():
            start = path.stat().st_size if cursor == NOW else offsets.get(path.name, 0)
            new, offsets[path.name] = _read(path, host, start)
            records += [upstream_hosts.resolve(engine, record) for record in new]
        return Tail(tuple(records), access_log_cursor.render(offsets))

    return await asyncio.to_thread(read)


async def wait_written(engine: Engine) -> None:
    """Return when every Envoy that answers has written all that it has logged by now."""
    marker = secrets.token_hex(8)
    paths = {e: engine.context.paths.access_log(e.node) for e in evidence.list_envoys(engine)}
    errors = await asyncio.gather(
        *(evidence.wait_log_written(e, path, marker) for e, path in paths.items()),
        return_exceptions=True,
    )
    for error in errors:
        if error is not None and not isinstance(error, MeshproofError):
            raise error


def _read(path: Path, host: str, start: int) -> tuple[list[AccessRecord], int]:
    """Records of the whole lines from ``start`` on, and where the last of those ends."""
    node, needle = node_of(path), f'|{host}"'.encode()
    with path.open("rb") as log:
        log.seek(start)
        data = log.read()
    data = data[: data.rfind(b"\n") + 1]
    lines = (json.loads(line) for line in data.splitlines() if needle in line)
    calls = [line for line in lines if _called_host(line.get("upstream_cluster", "")) == host]
    return [access_log.to_record(raw, node) for raw in calls], start + len(data)


def _called_host(cluster: str) -> str:
    name = ClusterName.parse(cluster)
    return name.host if name else ""
