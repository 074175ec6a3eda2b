"""Single calls from one workload to another, each on a run id of its own phase."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from meshproof.mesh import AccessRecord, Answer, Mesh
from meshproof.report.run import Run

N = 20
"""Enough to meet every replica, few enough to be quick: what is judged here has no chance in it."""


def calls(
    mesh: Mesh,
    run: Run,
    sender: str,
    url: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] = MappingProxyType({}),
) -> tuple[list[Answer], list[AccessRecord]]:
    """``N`` answers, and every sidecar's log of just these requests."""
    run_id = run.new()
    marked = [("x-run-id", run_id), *headers.items()]
    answers = [mesh.curl(sender, url, method=method, headers=marked) for _ in range(N)]
    return answers, run.access_log(run_id)
