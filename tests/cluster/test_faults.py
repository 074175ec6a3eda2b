"""Faults of workloads and outside hosts, and that reset undoes them."""

from __future__ import annotations

import pytest

from meshproof.cluster.mesh import ClusterMesh
from meshproof.errors import Unsupported
from tests.fakes.cluster_machine import Machine


def test_faults_are_undone_by_reset(machine: Machine, cluster: ClusterMesh) -> None:
    cluster.fault("pause", "svca")
    assert machine.ran("SIGSTOP")
    cluster.fault("cut", "msgd.test")
    assert "meshproof-msgd.test" not in machine.networks["kind"]
    cluster.reset()
    assert machine.ran("SIGCONT")
    assert "meshproof-msgd.test" in machine.networks["kind"]
    assert machine.ran("--ip 10.100.35.27")
    cluster.fault("kill", "svcb-v0.1")
    assert machine.ran("delete pod svcb-v0.1-0 --grace-period=0 --force")
    with pytest.raises(Unsupported, match="killed as a whole"):
        cluster.fault("kill", "svca", part="sidecar")
    with pytest.raises(Unsupported, match="slow"):
        cluster.fault("slow", "svca")
