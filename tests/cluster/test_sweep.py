"""Clusters that killed processes left are removed, no others."""

from __future__ import annotations

import json
import os
from pathlib import Path

from meshproof.cluster import sweep
from meshproof.cluster.state_dir import owner_note, state_dir
from tests.fakes.cluster_machine import Machine, mesh_on


def test_a_sweep_removes_what_a_killed_process_left(machine: Machine, tmp_path: Path) -> None:
    mesh_on(machine, tmp_path).up()
    home = state_dir("meshproof", tmp_path)
    home.root.mkdir(exist_ok=True)
    home.note.write_text(owner_note(os.getppid()))
    assert sweep.sweep(machine, tmp_path) == [], "its process lives"
    home.note.write_text(json.dumps({"pid": 1, "started": "never"}))
    assert sweep.orphaned_clusters(tmp_path) == ["meshproof"]
    assert sweep.sweep(machine, tmp_path) == ["meshproof"]
    assert not machine.cluster
    assert not machine.containers
    assert set(machine.networks) == {"kind"}
    assert sweep.orphaned_clusters(tmp_path) == []


def test_a_sweep_leaves_a_cluster_that_only_has_our_name(machine: Machine, tmp_path: Path) -> None:
    machine.cluster = "meshproof"
    machine.kube.objects["Node", "", "x"] = {"kind": "Node", "metadata": {"name": "x"}}
    home = state_dir("meshproof", tmp_path)
    home.root.mkdir()
    home.note.write_text(json.dumps({"pid": 1, "started": "never"}))
    assert sweep.sweep(machine, tmp_path) == []
    assert machine.cluster == "meshproof"
