"""A machine, and a mesh that is up on it.

Not named ``mesh``: that is the fixture of meshproof's own plugin.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from meshproof.cluster.mesh import ClusterMesh
from tests.fakes.background import FakeStart
from tests.fakes.cluster_machine import Machine, mesh_on
from tests.fakes.sidecar import PodOutput


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a fake: a deadline is over after the first look, or after a few."""
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    monkeypatch.setattr("meshproof.cluster.live.WITHIN", 0.05)
    monkeypatch.setattr("meshproof.cluster.rollout.WITHIN", 0.05)
    monkeypatch.setattr("meshproof.cluster.addons.AVAILABLE", 0.05)
    monkeypatch.setattr("meshproof.cluster.queries.LOGGED_WITHIN", 0.0)
    monkeypatch.setattr("meshproof.cluster.reconciler.TERMINATION", 0.0)


@pytest.fixture(autouse=True)
def _run_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    monkeypatch.setattr("meshproof.host.run_folder.bases", lambda: (runtime / "meshproof",))


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def pod_output(machine: Machine) -> PodOutput:
    return PodOutput(machine)


@pytest.fixture
def starting(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> FakeStart:
    start = FakeStart()
    monkeypatch.setattr(machine, "start", start)
    return start


@pytest.fixture
def cluster(machine: Machine, tmp_path: Path) -> Iterator[ClusterMesh]:
    mesh = mesh_on(machine, tmp_path)
    mesh.up()
    yield mesh
    mesh.down()
