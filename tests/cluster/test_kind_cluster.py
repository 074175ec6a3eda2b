"""A kind cluster is used if it is ours, and never touched if it is not."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from meshproof.cluster.mesh import ClusterMesh
from meshproof.cluster.state_dir import owner_note, state_dir
from meshproof.errors import MeshproofError
from tests.fakes.cluster_machine import Machine, mesh_on, recorded


def order(commands: list[str], *parts: str) -> list[int]:
    """Where each part is first found; -1 for none."""
    return [next((i for i, c in enumerate(commands) if part in c), -1) for part in parts]


def test_a_cluster_that_is_not_ours_is_never_touched(machine: Machine, tmp_path: Path) -> None:
    machine.cluster = "meshproof"
    machine.kube.objects["Node", "", "x"] = {"kind": "Node", "metadata": {"name": "x"}}
    with pytest.raises(MeshproofError, match=r"was not made by meshproof.*\n.*MESH=context"):
        mesh_on(machine, tmp_path).up()
    assert not machine.ran("kind delete")
    assert not machine.ran("apply")
    mesh_on(machine, tmp_path).down()
    assert not machine.ran("kind delete")


def test_a_silent_cluster_is_made_anew_only_if_it_is_ours(machine: Machine, tmp_path: Path) -> None:
    machine.cluster = "meshproof"
    machine.fail("get nodes -o json", recorded("kubectl --kubeconfig kubeconfig --server"), times=2)
    with pytest.raises(MeshproofError, match="its API server does not answer"):
        mesh_on(machine, tmp_path).up()
    assert not machine.ran("kind delete")
    home = state_dir("meshproof", tmp_path)
    home.root.mkdir()
    home.note.write_text(json.dumps({"pid": 1, "started": "never"}))
    machine.fail("get nodes -o json", recorded("kubectl --kubeconfig kubeconfig --server"), times=1)
    mesh_on(machine, tmp_path).up()
    assert order(machine.commands, "kind delete", "kind create") > [0, 0]


def test_another_process_of_ours_keeps_its_cluster(machine: Machine, tmp_path: Path) -> None:
    mesh_on(machine, tmp_path).up()
    home = state_dir("meshproof", tmp_path)
    home.root.mkdir(exist_ok=True)
    home.note.write_text(owner_note(os.getppid()))
    guest = mesh_on(machine, tmp_path)
    guest.up()
    guest.down()
    assert not machine.ran("kind delete")
    assert not machine.ran("docker rm")


def test_docker_is_asked_once_where_the_gateway_is(cluster: ClusterMesh, machine: Machine) -> None:
    """A proof sends thousands of requests through it; the port is fixed when the node is made."""
    url = cluster.url("gateway")
    calls = len(machine.ran("docker inspect meshproof-control-plane"))
    assert [cluster.url("gateway") for _ in range(3)] == [url] * 3
    assert len(machine.ran("docker inspect meshproof-control-plane")) == calls
