"""Single calls from one workload to another, each on a run id of its own phase."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType

from meshproof.mesh import AccessRecord, Answer, Mesh
from meshproof.report.test_run import Run

N = 20
"""Enough to meet every replica, few enough to be quick: what is judged here has no chance in it."""

SIDE_BY_SIDE = 5
"""A refused call waits for its line in the access log, which says by what."""


def calls(
    mesh: Mesh,
    run: Run,
    sender: str,
    url: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] = MappingProxyType({}),
    at_once: int = SIDE_BY_SIDE,
) -> tuple[list[Answer], list[AccessRecord]]:
    """``N`` answers, and every sidecar's log of just these requests."""
    run_id = run.new()
    marked = [("x-run-id", run_id), *headers.items()]

    def call(_number: int) -> Answer:
        return mesh.curl(sender, url, method=method, headers=marked)

    with ThreadPoolExecutor(max_workers=at_once) as pool:
        answers = list(pool.map(call, range(N)))
    return answers, run.access_log(run_id)
