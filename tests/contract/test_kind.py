"""The contract on a kind mesh whose tools are fakes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from meshproof.cluster.mesh import ClusterMesh
from tests.contract import cases
from tests.fakes.cluster_machine import mesh_on
from tests.fakes.working_cluster import working_machine


@pytest.fixture
def kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ClusterMesh]:
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    monkeypatch.setattr("meshproof.host.run_folder.bases", lambda: (runtime / "meshproof",))
    mesh = mesh_on(working_machine(), tmp_path)
    mesh.up()
    yield mesh
    mesh.down()


@pytest.mark.parametrize("case", cases.CASES, ids=lambda case: case.__name__)
def test_contract(kind: ClusterMesh, case: cases.Case) -> None:
    case(kind)


def test_down(kind: ClusterMesh) -> None:
    cases.down_is_safe_to_repeat(kind)
