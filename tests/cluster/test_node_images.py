"""Which images a kind cluster's nodes have, or can pull."""

from __future__ import annotations

import pytest

from meshproof.cluster.commands import CommandError
from meshproof.cluster.node_images import find_missing
from tests.fakes.cluster_machine import Machine

NODES = ["rig-control-plane", "rig-worker"]
ABSENT = (1, "", 'FATA[0000] no such image "busybox:1" present\n')
NO_REGISTRY = (
    1, "",
    'E1130 18:00:00.000000 remote_image.go:238] "PullImage from image service failed"\n'
    'FATA[0000] pulling image: failed to resolve reference "docker.io/library/busybox:1": '
    "dial tcp: lookup registry-1.docker.io: no such host\n",
)  # fmt: skip


def test_an_image_that_every_node_has_is_not_pulled(machine: Machine) -> None:
    assert find_missing(machine, NODES, ["busybox:1", "busybox:1"]) == {}
    assert [c.split()[2] for c in machine.ran("crictl inspecti")] == NODES
    assert not machine.ran("crictl pull")


def test_a_node_without_it_pulls_it(machine: Machine) -> None:
    machine.fail("rig-worker crictl inspecti", ABSENT)
    assert find_missing(machine, NODES, ["busybox:1"]) == {}
    assert machine.ran("crictl pull") == ["docker exec rig-worker crictl pull busybox:1"]


def test_an_image_without_a_registry_is_missing(machine: Machine) -> None:
    machine.fail("crictl inspecti busybox:1", ABSENT)
    machine.fail("crictl pull busybox:1", NO_REGISTRY)
    missing = find_missing(machine, NODES, ["busybox:1", "other:1"])
    assert list(missing) == ["busybox:1"]
    assert "node rig-control-plane does not have it" in missing["busybox:1"]
    assert "no such host" in missing["busybox:1"]
    assert len(machine.ran("crictl pull")) == 1, "the first node is enough"


def test_a_node_that_does_not_answer_is_another_error(machine: Machine) -> None:
    machine.fail("crictl inspecti", (1, "", "Error response from daemon: No such container\n"))
    with pytest.raises(CommandError, match="No such container"):
        find_missing(machine, NODES, ["busybox:1"])
