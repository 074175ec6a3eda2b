"""Traces, access logs, metrics, and the logs of apps."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from meshproof.control.endpoint import query, stream
from meshproof.control.log_follower import LogFollower
from meshproof.control.protocols import Remote
from meshproof.control.wire import Json, as_json
from meshproof.errors import MeshproofError

if TYPE_CHECKING:
    from meshproof.control.context import ControlContext


@query
def spans(context: ControlContext, run_id: str) -> list[Json]:
    """``Span`` as mappings."""
    return [as_json(span) for span in context.mesh.spans(run_id)]


@query
def access_log(context: ControlContext, run_id: str = "") -> list[Json]:
    """``AccessRecord`` as mappings."""
    return [as_json(record) for record in context.mesh.access_log(run_id)]


@query
def metrics(context: ControlContext, workload: str = "") -> str:
    """Prometheus text."""
    return context.mesh.metrics(workload)


@query
def joined_logs(context: ControlContext, trace_id: str, run_id: str) -> list[Json]:
    """``LogLine`` as mappings: of the one of both ids that is not empty."""
    return [as_json(line) for line in context.mesh.joined_logs(trace_id=trace_id, run_id=run_id)]


@stream
def logs(context: ControlContext, workload: str, follow: bool = False) -> Iterator[bytes]:
    """What a workload's apps have written, and with ``follow`` what they write from now on."""
    mesh = context.mesh
    if isinstance(mesh, Remote) and not follow:
        yield mesh.named_logs(workload).encode()
        return
    files, follower = mesh.log_files(workload), LogFollower()
    while True:
        if lines := follower.poll(files, named=len(files) > 1):
            yield lines
        if not follow:
            return
        yield b""
        with contextlib.suppress(MeshproofError):  # scaled to 0: the old files are still read
            files = mesh.log_files(workload)
