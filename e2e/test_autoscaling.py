"""A HorizontalPodAutoscaler under a ramp of payers: up while they come, down when they have left.

Neither fails a request. The object is that of Kubernetes; ``manifests/autoscaling`` has it for
both meshes. The metric of requests in flight is the embedded mesh's own.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml

from e2e.payments.requests import no_failures
from e2e.payments.rules import EGRESS_BY_ADDRESS, ROOT
from e2e.support.processes import until
from meshproof.mesh import Mesh
from meshproof.pytest_plugin import Judge, StartLoad
from meshproof.report.test_run import Run

pytestmark = [pytest.mark.nightly, pytest.mark.alone]


FILE = ROOT / "manifests" / "autoscaling" / "svca.yaml"
SPEC = yaml.safe_load(FILE.read_text())["spec"]
WINDOW = SPEC["behavior"]["scaleDown"]["stabilizationWindowSeconds"]
IN_FLIGHT = {
    "type": "Pods",
    "pods": {
        "metric": {"name": "requests_in_flight"},
        "target": {"type": "AverageValue", "averageValue": "2"},
    },
}


@pytest.fixture(autouse=True)
def _embedded(mesh: Mesh) -> None:
    if mesh.status().kind != "embedded":
        pytest.skip(
            "Kubernetes' autoscaler needs metrics-server, which a kind cluster does not have"
        )
    mesh.apply([EGRESS_BY_ADDRESS["v1"]])


@pytest.fixture(params=["cpu", "requests_in_flight"])
def autoscaler(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The manifest, unchanged or with the other metric."""
    return FILE if request.param == "cpu" else by_requests(tmp_path)


def replicas(mesh: Mesh) -> int:
    return sum(r.workload == "svca" and r.ready for r in mesh.status().replicas)


def by_requests(tmp_path: Path) -> Path:
    document = yaml.safe_load(FILE.read_text())
    document["spec"]["metrics"] = [IN_FLIGHT]
    file = tmp_path / "by-requests.yaml"
    file.write_text(yaml.safe_dump(document))
    return file


def test_it_follows_the_payers_up_and_down(
    mesh: Mesh, run: Run, load: StartLoad, judge: Judge, autoscaler: Path
) -> None:
    mesh.apply([autoscaler])
    running = load(users=12).reach(50)
    until(lambda: replicas(mesh) == SPEC["maxReplicas"], "it scales up to the most allowed")
    results = running.reach(running.progress() + 200).stop()
    until(lambda: replicas(mesh) == SPEC["minReplicas"], "it scales down to the least allowed")
    # Of the window the last period of one second may have had little load already.
    assert time.time() - max(r.end for r in results.records) > WINDOW - 2
    judge(
        no_failures(f"by {autoscaler.stem}", results.records, run.access_log(), sent=results.sent)
    )


def test_without_it_the_same_load_changes_nothing(mesh: Mesh, load: StartLoad) -> None:
    load(users=12, seconds=3).wait()
    assert replicas(mesh) == 1
