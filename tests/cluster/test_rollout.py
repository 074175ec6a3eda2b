"""A workload that is not available says why; at once where its image cannot be pulled."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.cluster.mesh import ClusterMesh
from meshproof.errors import NotLive
from meshproof.mesh import STDIN, Source
from tests.fakes.cluster_machine import ROOT, Machine, mesh_on, recorded, up_on_context

STRANGER = ROOT / "e2e" / "refused" / "image_without_command.yaml"


def never_ready(machine: Machine, container: str, reason: str, message: str) -> None:
    """The pods of a Deployment wait for their container, and kubectl for them."""
    machine.fail(f"rollout status deploy/{container}", recorded("kubectl", "not yet"))
    state = {"state": {"waiting": {"reason": reason, "message": message}}}
    pods = machine.kube.pods

    def waiting_pods(deployment: dict[str, object]) -> list[dict[str, object]]:
        items = pods(deployment)
        for pod in items:
            if pod["metadata"]["name"].startswith(container):
                pod["status"]["conditions"] = []
                pod["status"]["containerStatuses"] = [{"name": container, **state}]
        return items

    machine.kube.pods = waiting_pods  # type: ignore[method-assign]


@pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff", "InvalidImageName"])
def test_an_image_that_cannot_be_pulled_ends_it_at_once(
    machine: Machine, tmp_path: Path, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meshproof.cluster.rollout.WITHIN", 3600.0)
    never_ready(machine, "svca", reason, "no such host")
    with pytest.raises(NotLive, match=f"svca: {reason}: no such host") as failure:
        mesh_on(machine, tmp_path).up()
    assert "`kind load docker-image`" in str(failure.value)
    assert len(machine.ran("rollout status deploy/svca")) == 1


def test_on_a_context_the_first_failed_pull_undoes_the_change(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mesh = up_on_context(machine, tmp_path)
    monkeypatch.setattr("meshproof.cluster.rollout.WITHIN", 3600.0)
    never_ready(machine, "stranger", "ErrImagePull", "no such host")
    with pytest.raises(NotLive, match=r"(?s)ErrImagePull.*in this call: Deployment .*yaml:1\)"):
        mesh.apply([STRANGER])
    assert ("Deployment", "payments", "stranger") not in machine.kube.objects


def test_any_other_reason_is_waited_for_and_named(machine: Machine, tmp_path: Path) -> None:
    never_ready(machine, "svca", "CrashLoopBackOff", "back-off 10s")
    with pytest.raises(NotLive, match=r"payments/svca to be available: not within .*CrashLoop"):
        mesh_on(machine, tmp_path).up()


STATEFUL = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: ledger, namespace: payments}
spec:
  serviceName: ledger
  replicas: 2
  selector: {matchLabels: {app: ledger}}
  template:
    metadata: {labels: {app: ledger}}
    spec:
      containers: [{name: ledger, image: "meshproof/svcb:0.1.0", ports: [{containerPort: 8080}]}]
"""


def test_a_stateful_set_is_waited_for_and_its_replicas_are_listed(
    machine: Machine, cluster: ClusterMesh
) -> None:
    cluster.apply([Source(STDIN, STATEFUL)])
    assert machine.ran("rollout status statefulset/ledger")
    assert [r.name for r in cluster.status().replicas if r.workload == "ledger"] == [
        "ledger-0",
        "ledger-1",
    ]
    cluster.scale("ledger", 1)
    assert len(machine.ran("rollout status statefulset/ledger")) == 2
