"""A Deployment that is not available says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.errors import NotLive
from tests.fakes.cluster_machine import Machine, mesh_on, recorded


def test_a_deployment_that_does_not_come_says_why(machine: Machine, tmp_path: Path) -> None:
    machine.fail("rollout status deploy/svca", recorded("kubectl", "not yet"))
    state = {"state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such host"}}}
    pods = machine.kube.pods

    def late(deployment: dict[str, object]) -> list[dict[str, object]]:
        items = pods(deployment)
        for pod in items:
            pod["status"]["conditions"] = []
            pod["status"]["containerStatuses"] = [{"name": "svca", **state}]
        return items

    machine.kube.pods = late  # type: ignore[method-assign]
    with pytest.raises(NotLive, match="svca: ImagePullBackOff: no such host"):
        mesh_on(machine, tmp_path).up()
