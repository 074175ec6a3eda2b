"""Zipkin's API has all of a run: every trace, every call, nothing dropped."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest
import requests

from e2e.payments.rules import EGRESS_BY_ADDRESS
from meshproof.control.routes.cluster import SupportsCluster
from meshproof.mesh import Mesh
from meshproof.pytest_plugin import Judge, StartLoad
from meshproof.report.test_run import Run
from meshproof.verdicts.counts import exactly

pytestmark = pytest.mark.long


N = 300
HOPS = 5
"""Spans of a payment: one per sidecar and side of a hop."""


def ask(mesh: Mesh, path: str, **query: object) -> Any:
    with requests.Session() as session:
        session.trust_env = False
        params = {name: str(value) for name, value in query.items()}
        answer = session.get(f"{mesh.url('zipkin')}{path}", params=params, timeout=300)
    answer.raise_for_status()
    return answer.json()


def test_searches_and_links_are_whole(mesh: Mesh, run: Run, load: StartLoad, judge: Judge) -> None:
    if isinstance(mesh, SupportsCluster):
        pytest.skip("on a cluster a real Zipkin has this API (make observe)")
    mesh.apply([EGRESS_BY_ADDRESS["v1"]])
    begin = time.time()
    results = load(requests=N).wait()
    run.spans()  # every sidecar has sent what it has
    traces = ask(mesh, "/api/v2/traces", annotationQuery=f"run_id={run.id}", limit=2 * N)
    counts = {
        "Locust's trace ids": len(set(results.trace_ids()) & {s[0]["traceId"] for s in traces}),
        "traces": len(traces),
        "whole traces": sum(len(spans) == HOPS for spans in traces),
        **{" -> ".join(link): calls for link, calls in _calls(mesh, begin).items()},
    }
    judge(exactly("traces and calls, by Zipkin's API", results.sent, counts, expected=N))
    assert ask(mesh, "/health")["details"]["dropped"] == 0
    failed = ask(mesh, "/api/v2/traces", annotationQuery=f"run_id={run.id} and error", limit=2 * N)
    judge(
        exactly("traces with an error", results.sent, {"found": len(failed)}, expected=N),
        expect="fail",
        because=rf"found is 0 of {N}",
    )


def _calls(mesh: Mesh, begin: float) -> Mapping[tuple[str, str], int]:
    now = time.time()
    links = ask(
        mesh,
        "/api/v2/dependencies",
        endTs=round(now * 1000),
        lookback=round((now - begin) * 1000),
    )
    return {(link["parent"], link["child"]): link["callCount"] for link in links}
