"""What the Envoys of a mesh have recorded: spans, access logs, metrics; complete, or an error.

The Envoys themselves say when their records are complete: a marker request puts a line behind every
earlier one in the access log, and the tracer's own counters tell when all reports have been sent.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlencode

from meshproof.embedded.engine import Engine
from meshproof.embedded.pod.envoy_process import EnvoyProcess
from meshproof.embedded.process_names import node_of
from meshproof.embedded.telemetry import upstream_hosts
from meshproof.errors import MeshproofError
from meshproof.mesh import AccessRecord, Span
from meshproof.telemetry import access_log, packed_labels
from meshproof.telemetry.prometheus import merge_pods
from meshproof.telemetry.redact import redact_private_keys, redact_values
from meshproof.telemetry.zipkin_json import to_span
from meshproof.wait import DeadlineExceeded, until_async
from meshproof.xds import codec

_FLUSH_LIMIT = 60.0
_DUMP_LIMIT = 1 << 20
"""Bytes of a log that go into a dump."""
_TRACER = b"envoy.config.trace.v3.ZipkinConfig"
"""Is in the bytes of a listener that has a tracer."""
REQUESTS = r"^istio\.(requests_total|request_duration)"
"""Envoy's own names of the counters and durations of requests: a quarter of the text."""


def list_envoys(engine: Engine) -> list[EnvoyProcess]:
    """Every Envoy of the mesh, the gateways' first."""
    return engine.envoys()


# -- spans -------------------------------------------------------------------------------------


async def read_spans(engine: Engine, run_id: str) -> list[Span]:
    """Every span of a run. Raises MeshproofError when an Envoy or the store dropped reports."""
    await asyncio.gather(*(_wait_traces_sent(e) for e in list_envoys(engine) if _traces(e)))
    if engine.spans.has_lost(run_id):
        raise MeshproofError(
            f"the span store dropped {engine.spans.dropped} reports for lack of space or because "
            "of their age, some of this run; a verdict on the rest would be void; trace fewer "
            "requests at once"
        )
    return engine.spans.of_run(run_id)


async def read_traces(engine: Engine, trace_ids: Sequence[str]) -> list[Span]:
    """Every span of these traces that has arrived; ``read_spans`` waits for all of a run."""
    traces = await engine.spans.index(lambda index: [index.trace(i) for i in trace_ids])
    return [to_span(raw) for trace in traces for raw in trace]


def _traces(envoy: EnvoyProcess) -> bool:
    """Whether a listener of this Envoy has a tracer: a gateway without a Gateway has no listener,
    and a Telemetry may switch tracing off."""
    return any(_TRACER in r.data for r in envoy.client.desired[codec.LISTENERS].values())


async def _wait_traces_sent(envoy: EnvoyProcess) -> None:
    """Envoy's tracer flushes every 100 ms and counts each flush and each report's fate."""
    pattern = r"^tracing\.zipkin\."
    flushed = "tracing.zipkin.timer_flushed"
    start = (await envoy.stats(pattern)).get(flushed, 0)

    async def reason() -> str:
        counts = await envoy.stats(pattern)
        lost = sum(
            counts.get(f"tracing.zipkin.reports_{fate}", 0)
            for fate in ("dropped", "skipped_no_cluster")
        )
        if lost:
            raise MeshproofError(
                f"the Envoy of {envoy.node} dropped {lost} reports of spans; a verdict on the rest "
                "would be void"
            )
        if counts.get(flushed, 0) <= start + 1:
            return "its tracer has not flushed twice"
        return "a report is being sent" if await _sends_report(envoy) else ""

    try:
        await until_async(reason, f"waiting for the spans of {envoy.node}", within=_FLUSH_LIMIT)
    except DeadlineExceeded:
        raise MeshproofError(
            f"the Envoy of {envoy.node} did not flush its spans within {_FLUSH_LIMIT:g} s"
        ) from None


async def _sends_report(envoy: EnvoyProcess) -> bool:
    active = await envoy.stats(r"^cluster\.zipkin\.upstream_rq_(active|pending_active)$")
    return any(active.values())


# -- access logs -------------------------------------------------------------------------------


def log_sizes(engine: Engine) -> dict[Path, int]:
    """Bytes of each access log now; ``read_records`` takes them to read what comes after."""
    return {path: path.stat().st_size for path in engine.context.paths.access_logs()}


async def read_records(
    engine: Engine, run_id: str = "", since: Mapping[Path, int] | None = None
) -> list[AccessRecord]:
    """Every access log record (of a run, since these sizes), the gateway's first, in each Envoy's
    own order."""
    paths = engine.context.paths
    marker = secrets.token_hex(8)
    logs = {e.node: paths.access_log(e.node) for e in list_envoys(engine)}
    await asyncio.gather(*(wait_log_written(e, logs[e.node], marker) for e in list_envoys(engine)))
    ended = [p for p in paths.access_logs() if p not in logs.values()]
    files = [*logs.items(), *((node_of(p), p) for p in ended)]
    starts = since or {}

    def read() -> list[AccessRecord]:
        return [
            upstream_hosts.resolve(engine, record)
            for node, path in files
            for record in access_log.read(path, node, run_id, starts.get(path, 0))
        ]

    return await asyncio.to_thread(read)


async def wait_log_written(envoy: EnvoyProcess, path: Path, marker: str) -> None:
    """Return when all that an Envoy has logged by now is in its file; ``marker`` must be unique.
    Raises MeshproofError when it does not answer, or does not write."""
    await envoy.write_marker(marker)
    needle = marker.encode()
    offset = max(0, path.stat().st_size - 65536) if path.exists() else 0

    async def reason() -> str:
        return "" if _contains(path, offset, needle) else "the marker is not in the file"

    try:
        await until_async(reason, f"waiting for {path.name}", within=_FLUSH_LIMIT)
    except DeadlineExceeded:
        raise MeshproofError(
            f"the Envoy of {envoy.node} did not write its access log within "
            f"{_FLUSH_LIMIT:g} s; is the disk full?"
        ) from None


def _contains(path: Path, offset: int, needle: bytes) -> bool:
    if not path.exists():
        return False
    with path.open("rb") as log:
        log.seek(offset)
        return needle in log.read()


# -- metrics and dumps -------------------------------------------------------------------------


async def read_metrics(envoys: Sequence[EnvoyProcess], only: str = "") -> str:
    """Prometheus text of several Envoys as one: every sample gets a ``pod`` label. ``only`` is a
    regular expression on Envoy's own names."""
    path = "/stats/prometheus" + (f"?{urlencode({'filter': only})}" if only else "")
    texts = await asyncio.gather(*(e.admin(path) for e in envoys))
    pages = (packed_labels.unpack(text.decode(errors="replace")) for text in texts)
    return merge_pods({e.node: page for e, page in zip(envoys, pages, strict=True)})


async def dump(engine: Engine, folder: Path) -> None:
    """Write every Envoy's configuration and statistics, all logs and resources into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    secret_values = engine.store.secret_values()
    for envoy in list_envoys(engine):
        try:
            text = redact_private_keys(await envoy.admin("/config_dump?include_eds"))
            (folder / f"{envoy.node}.config.json").write_bytes(redact_values(text, secret_values))
            (folder / f"{envoy.node}.stats.txt").write_bytes(await envoy.admin("/stats"))
        except MeshproofError as error:
            (folder / f"{envoy.node}.error.txt").write_text(str(error))
    for log in sorted(engine.context.paths.logs.iterdir()):
        (folder / log.name).write_bytes(redact_values(_read_end(log), secret_values))
    (folder / "resources.txt").write_text(
        "".join(f"{r.title}  {r.location.file}:{r.location.line}\n" for r in engine.store.ordered())
    )


def _read_end(log: Path) -> bytes:
    """The last whole lines, at most ``_DUMP_LIMIT`` bytes: logs grow as long as the mesh runs."""
    with log.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _DUMP_LIMIT))
        tail = file.read()
    return tail if size <= _DUMP_LIMIT else tail.partition(b"\n")[2]
