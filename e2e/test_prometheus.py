"""A real Prometheus counts as everybody else does, to the request, and has data for every panel."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

import pytest

from e2e.payments.prometheus_counts import PrometheusCounts, panels, prometheus_of
from e2e.payments.requests import no_failures
from e2e.payments.rules import EGRESS_BY_ADDRESS
from meshproof.mesh import Mesh
from meshproof.pytest_plugin import Judge, StartLoad
from meshproof.report.test_run import Run
from meshproof.telemetry.prometheus_queries import Prometheus
from meshproof.verdicts.counts import exactly

pytestmark = pytest.mark.nightly


N = 500
ON_CLUSTERS = ("istio_tcp_",)
"""Metrics that only a mesh on a cluster has."""
MORE = 3
"""Payments of the control, which Locust does not count."""


@pytest.fixture(scope="module")
def prometheus(mesh: Mesh) -> Iterator[Prometheus]:
    with prometheus_of(mesh) as prometheus:
        yield prometheus


def test_every_count_is_the_same(
    mesh: Mesh, run: Run, load: StartLoad, judge: Judge, prometheus: Prometheus
) -> None:
    mesh.apply([EGRESS_BY_ADDRESS["v1"]])
    counts = PrometheusCounts(mesh, prometheus, run.id)
    results = load(requests=N).wait()
    judge(no_failures("requests", results.records, run.access_log(), sent=results.sent))
    all_counts = {"Locust": results.sent, **counts.since()}
    judge(exactly("counts of a payment, by who counted", N, all_counts, expected=N))

    for _ in range(MORE):
        answer = mesh.curl("svca", "http://svca/pay", headers=[("x-run-id", run.id)])
        assert answer.status == 200
    judge(
        exactly(f"the same with {MORE} payments more", N, counts.since(), expected=N),
        expect="fail",
        because=rf"is {N + MORE} of {N}; wanted {N}",
    )


def test_a_replica_that_has_ended_still_counts(
    mesh: Mesh, run: Run, load: StartLoad, judge: Judge, prometheus: Prometheus
) -> None:
    mesh.apply([EGRESS_BY_ADDRESS["v1"]])
    counts = PrometheusCounts(mesh, prometheus, run.id)
    loading = load(requests=2 * N)
    for replicas in (2, 1, 2, 1):
        mesh.scale("svcb-v0.2", replicas)
        mesh.scale("svca", replicas)
    results = loading.wait()
    judge(no_failures("requests", results.records, run.access_log(), sent=results.sent))
    all_counts = {"Locust": results.sent, **counts.since()}
    judge(exactly("counts while replicas come and go", 2 * N, all_counts, expected=2 * N))


def test_every_panel_has_data(mesh: Mesh, load: StartLoad, prometheus: Prometheus) -> None:
    """Payments that are refused on their way out, then some that arrive; each twice, so that
    a rate has something to begin at."""
    for _ in range(2):
        load(requests=N // 10).wait()
        mesh.apply([EGRESS_BY_ADDRESS["v1"]])
        load(requests=N // 10).wait()
        mesh.delete([EGRESS_BY_ADDRESS["v1"]])
        prometheus.wait_for_scrapes(time.time())
    empty, queries = [], 0
    for panel in panels():
        for target in panel.get("targets", ()):
            queries += 1
            samples = prometheus.query(target["expr"].replace("$namespace", "payments"))
            if not any(math.isfinite(one.value) for one in samples):
                empty.append(f"{panel['title']}: {target['expr']}")
    assert queries > 10
    assert [text for text in empty if not any(name in text for name in ON_CLUSTERS)] == []
