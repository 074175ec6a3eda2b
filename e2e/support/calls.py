"""Single calls from one workload to another, each on a run id of its own phase."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType

from meshproof.mesh import AccessRecord, Answer, Mesh
from meshproof.report.test_run import Run

N = 20
"""Enough to meet every replica, few enough to be fast: nothing here depends on chance."""

CONCURRENCY = 5
"""A refused call waits for its line in the access log, which names what refused it."""


def send_calls(
    mesh: Mesh,
    run: Run,
    sender: str,
    url: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] = MappingProxyType({}),
    concurrency: int = CONCURRENCY,
) -> tuple[list[Answer], list[AccessRecord]]:
    """``N`` answers, and every sidecar's log of exactly these requests."""
    run_id = run.new()
    all_headers = [("x-run-id", run_id), *headers.items()]

    def call(_number: int) -> Answer:
        return mesh.curl(sender, url, method=method, headers=all_headers)

    with ThreadPoolExecutor(max_workers=concurrency) as pool:
        answers = list(pool.map(call, range(N)))
    return answers, run.access_log(run_id)
