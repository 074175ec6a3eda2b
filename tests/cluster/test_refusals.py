"""The proofs of e2e/test_refusals.py, unchanged, on a cluster of fakes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from e2e import test_refusals as proofs
from e2e.test_refusals import *  # noqa: F403  # all of them: test_no_proof_is_left_out
from meshproof.cluster.mesh import ClusterMesh
from meshproof.errors import Refused
from meshproof.mesh import Mesh
from meshproof.report.expectation import Judge, require
from meshproof.report.test_run import Run
from meshproof.traffic.record import Record
from meshproof.traffic.results import Results
from meshproof.verdicts.verdict import Verdict
from tests.cluster.test_admission import without_image
from tests.fakes.cluster_machine import Machine, mesh_on
from tests.fakes.working_cluster import WorkingCluster, working_machine


@pytest.fixture
def machine() -> Machine:
    machine = working_machine()
    without_image(machine)
    return machine


@pytest.fixture
def mesh(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterMesh]:
    mesh = mesh_on(machine, tmp_path_factory.mktemp("state"))
    mesh.up()
    yield mesh
    mesh.down()


@pytest.fixture
def run(mesh: Mesh) -> Run:
    return Run(mesh)


class FakeLoad:
    """Payments that are answered by v0.2, and in every sidecar's log."""

    def __init__(self, cluster: WorkingCluster, run_id: str) -> None:
        self._cluster = cluster
        self._run_id = run_id
        self._records: list[Record] = []

    def reach(self, count: int) -> FakeLoad:
        while len(self._records) < count:
            self._cluster.log_payment(self._run_id)
            extra = {"paid": True, "notified": True}
            self._records.append(Record(0.0, 0.001, 200, version="v0.2", extra=extra))
        return self

    def progress(self) -> int:
        return len(self._records)

    def stop(self) -> Results:
        return Results(self._run_id, len(self._records), tuple(self._records))


@pytest.fixture
def load(machine: Machine, run: Run) -> Callable[[], FakeLoad]:
    cluster = machine.kube
    assert isinstance(cluster, WorkingCluster)
    return lambda: FakeLoad(cluster, run.id)


@pytest.fixture
def judge() -> Judge:
    def judge(verdict: Verdict, *, expect: str = "pass", because: str = "") -> Verdict:
        return require(verdict, expect, because)

    return judge


def test_no_proof_is_left_out() -> None:
    names = {name for name in vars(proofs) if name.startswith("test_")}
    assert names <= set(globals())


def test_nothing_that_is_refused_reaches_the_api_server(machine: Machine, mesh: Mesh) -> None:
    def apply_all() -> None:
        for stem in proofs.PROBLEMS:
            with pytest.raises(Refused):
                mesh.apply([proofs.REFUSED / f"{stem}.yaml"])

    assert not [command for command in machine.since(apply_all) if "kubectl" in command]
