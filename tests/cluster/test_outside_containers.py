"""Outside hosts as containers beside a kind cluster."""

from __future__ import annotations

from pathlib import Path

from tests.fakes.cluster_machine import Machine, mesh_on, recorded


def test_a_subnet_in_use_is_skipped_with_a_word(machine: Machine, tmp_path: Path) -> None:
    machine.fail("network create", recorded("docker network create", "subnet in use"))
    applied = mesh_on(machine, tmp_path).up()
    (note,) = applied.notes
    assert "10.100.35.27" in note
    assert "10.100.35.0/24" in note
    assert not machine.ran("network connect")
