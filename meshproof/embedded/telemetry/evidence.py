"""What a run left behind: spans, access log lines, metrics; complete, or an error that says why.

Completeness is asked of the Envoys themselves, never waited for blindly: a marker request puts a
line behind every earlier one in the access log, and the tracer's own counters say when all reports
have left.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlencode

from meshproof.embedded.engine import Engine
from meshproof.embedded.pod.envoy_process import EnvoyProcess
from meshproof.errors import MeshproofError
from meshproof.mesh import AccessRecord, Span
from meshproof.telemetry import access_log
from meshproof.telemetry.prometheus import merge_pods
from meshproof.telemetry.redact import without, without_keys
from meshproof.telemetry.zipkin_json import span_of
from meshproof.xds import codec

_FLUSH_LIMIT = 10.0
_PAUSE = 0.02
_DUMPED = 1 << 20
_TRACER = b"envoy.config.trace.v3.ZipkinConfig"
"""Stands in a listener's bytes where it has a tracer."""


def envoys(engine: Engine) -> list[EnvoyProcess]:
    """Every Envoy of the mesh, the gateway's first."""
    return [engine.gateway.envoy, *(r.envoy for r in engine.fleet.runners)]


async def spans(engine: Engine, run_id: str) -> list[Span]:
    """Every span of a run. Raises MeshproofError when an Envoy or the store dropped reports."""
    await asyncio.gather(*(_tracer_flushed(e) for e in envoys(engine) if _traces(e)))
    if engine.spans.lost(run_id):
        raise MeshproofError(
            f"the span store gave up {engine.spans.dropped} reports for want of room or for their "
            "age, some of this run; a verdict on what is left would be void; trace fewer requests "
            "at once"
        )
    return engine.spans.of_run(run_id)


async def trace_spans(engine: Engine, trace_ids: Sequence[str]) -> list[Span]:
    """Every span of these traces that has come; ask ``spans`` first, which waits for all."""
    found = await engine.spans.index(lambda index: [index.trace(i) for i in trace_ids])
    return [span_of(raw) for trace in found for raw in trace]


def _traces(envoy: EnvoyProcess) -> bool:
    """Whether a listener of this Envoy makes spans: a gateway without a Gateway has none, and a
    Telemetry may switch them off; then there is no tracer that could flush."""
    return any(_TRACER in r.data for r in envoy.client.desired[codec.LISTENERS].values())


async def _tracer_flushed(envoy: EnvoyProcess) -> None:
    """Envoy's tracer flushes every 100 ms and counts each flush and each report's fate."""
    pattern = r"^tracing\.zipkin\."
    start = (await envoy.stats(pattern)).get("tracing.zipkin.timer_flushed", 0)
    try:
        async with asyncio.timeout(_FLUSH_LIMIT):
            while True:
                now = await envoy.stats(pattern)
                lost = sum(
                    now.get(f"tracing.zipkin.reports_{how}", 0)
                    for how in ("dropped", "skipped_no_cluster")
                )
                if lost:
                    raise MeshproofError(
                        f"the Envoy of {envoy.node} dropped {lost} reports of spans; a verdict on "
                        "what is left would be void"
                    )
                if now.get("tracing.zipkin.timer_flushed", 0) > start + 1 and not (
                    await _posting(envoy)
                ):
                    return
                await asyncio.sleep(_PAUSE)
    except TimeoutError:
        raise MeshproofError(
            f"the Envoy of {envoy.node} did not flush its spans within {_FLUSH_LIMIT:g} s"
        ) from None


async def _posting(envoy: EnvoyProcess) -> bool:
    active = await envoy.stats(r"^cluster\.zipkin\.upstream_rq_(active|pending_active)$")
    return any(active.values())


def ends(engine: Engine) -> dict[Path, int]:
    """How long each access log is now; for ``records`` of what comes after."""
    return {path: path.stat().st_size for path in engine.runtime.files.access_logs()}


async def records(
    engine: Engine, run_id: str = "", since: Mapping[Path, int] | None = None
) -> list[AccessRecord]:
    """Every access log record (of a run, since then), the gateway's first, in each Envoy's own
    order."""
    marker = secrets.token_hex(8)
    paths = {e.node: engine.runtime.files.access_log(e.node) for e in envoys(engine)}
    await asyncio.gather(*(written(e, paths[e.node], marker) for e in envoys(engine)))
    ended = [p for p in engine.runtime.files.access_logs() if p not in paths.values()]
    files = [*paths.items(), *((p.name.removesuffix(".access.jsonl"), p) for p in ended)]
    starts = since or {}

    def read() -> list[AccessRecord]:
        return [
            record
            for node, path in files
            for record in access_log.read(path, node, run_id, starts.get(path, 0))
        ]

    return await asyncio.to_thread(read)


async def written(envoy: EnvoyProcess, path: Path, marker: str) -> None:
    """Return when all that an Envoy has logged by now is in its file; ``marker`` is a fresh word.
    Raises MeshproofError when it does not answer, or does not write."""
    await envoy.mark(marker)
    needle = marker.encode()
    offset = max(0, path.stat().st_size - 65536) if path.exists() else 0
    try:
        async with asyncio.timeout(_FLUSH_LIMIT):
            while not _contains(path, offset, needle):
                await asyncio.sleep(_PAUSE)
    except TimeoutError:
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


REQUESTS = r"^istio\.(requests_total|request_duration)"
"""Envoy's own names of the counters and durations of requests: a quarter of the text."""


async def metrics(chosen: Sequence[EnvoyProcess], only: str = "") -> str:
    """Prometheus text of several Envoys as one: every sample gets a ``pod`` label. ``only`` is a
    regular expression on Envoy's own names."""
    path = "/stats/prometheus" + (f"?{urlencode({'filter': only})}" if only else "")
    texts = await asyncio.gather(*(e.admin(path) for e in chosen))
    # Envoy puts its own prefix before Istio's names.
    return merge_pods(
        {
            envoy.node: text.decode().replace("envoy_istio_", "istio_")
            for envoy, text in zip(chosen, texts, strict=True)
        }
    )


async def dump(engine: Engine, folder: Path) -> None:
    """Envoy configuration, statistics, logs and resources of everything, into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    secrets = _secrets(engine)
    for envoy in envoys(engine):
        try:
            config = json.loads(await envoy.admin("/config_dump?include_eds"))
            text = json.dumps(without_keys(config), indent=1).encode()
            (folder / f"{envoy.node}.config.json").write_bytes(without(text, secrets))
            (folder / f"{envoy.node}.stats.txt").write_bytes(await envoy.admin("/stats"))
        except MeshproofError as error:
            (folder / f"{envoy.node}.error.txt").write_text(str(error))
    for log in sorted(engine.runtime.files.logs.iterdir()):
        (folder / log.name).write_bytes(without(_end_of(log), secrets))
    (folder / "resources.txt").write_text(
        "".join(f"{r.title}  {r.location.file}:{r.location.line}\n" for r in engine.store.ordered())
    )


def _end_of(log: Path) -> bytes:
    """The last whole lines of a log, at most ``_DUMPED`` bytes: logs grow with all of a session."""
    with log.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _DUMPED))
        tail = file.read()
    return tail if size <= _DUMPED else tail.partition(b"\n")[2]


def _secrets(engine: Engine) -> list[bytes]:
    """Every value of every Secret: an app may print what it was given, evidence does not."""
    return [value for r in engine.store.of("Secret") for value in r.spec.files.values()]
