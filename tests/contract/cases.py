"""What every mesh does, as functions of a mesh that is up with this repository's project.

tests/contract runs them on the fake-backed kind mesh, e2e/test_contract.py on a real one. Each
leaves the mesh to be reset by whoever calls it.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from meshproof.errors import MeshproofError, Refused, Unsupported, UsageError
from meshproof.mesh import Applied, Mesh, Source

RULES = Path(__file__).parents[2] / "rules"
HALF = RULES / "svcb_v0_1_50_v0_2_50.yaml"
ALL = RULES / "svcb_v0_2_100.yaml"
OLD_HALF = RULES / "v1alpha2" / "route-rules-svcb-v0.2-50.yaml"
EGRESS = RULES / "egress_msgd_by_address.yaml"
MSGD = "http://10.100.35.27:9997/healthz"

Case = Callable[[Mesh], None]


def confirmed(applied: Applied) -> None:
    """Evidence: named sidecars, one version, times that are times."""
    assert applied.acks
    assert len({ack.sidecar for ack in applied.acks}) == len(applied.acks)
    assert all(ack.version for ack in applied.acks)
    assert all(0 < ack.seconds <= applied.seconds for ack in applied.acks)


def up_has_every_replica_ready(mesh: Mesh) -> None:
    status = mesh.status()
    assert {(r.namespace, r.workload) for r in status.replicas} == {
        ("payments", "svca"), ("payments", "svcb-v0.1"), ("payments", "svcb-v0.2"),
    }  # fmt: skip
    assert all(r.ready and not r.reason and r.address for r in status.replicas)
    assert "Deployment payments/svca" in status.resources
    assert status.version


def apply_is_confirmed_and_named(mesh: Mesh) -> None:
    applied = mesh.apply([HALF])
    confirmed(applied)
    assert applied.resources == (
        "DestinationRule payments/svcb created",
        "VirtualService payments/svcb created",
    )
    again = mesh.apply([ALL])
    confirmed(again)
    assert "VirtualService payments/svcb configured" in again.resources


def what_is_the_same_is_said_to_be(mesh: Mesh) -> None:
    mesh.apply([HALF])
    assert all(r.endswith(" unchanged") for r in mesh.apply([HALF]).resources)


def both_dialects_are_applied_and_deleted(mesh: Mesh) -> None:
    before = mesh.status().resources
    mesh.apply([OLD_HALF])
    assert len(mesh.status().resources) > len(before)
    mesh.delete([OLD_HALF])
    assert mesh.status().resources == before


def bad_input_changes_nothing(mesh: Mesh) -> None:
    mesh.apply([HALF])
    before = mesh.status()
    with pytest.raises(Refused):
        mesh.apply([Source("bad.yaml", "apiVersion: v1\nkind: [\n")])
    with pytest.raises(Refused):
        mesh.apply([ALL, RULES / "none.yaml"])
    assert mesh.status().resources == before.resources
    assert mesh.status().version == before.version


def delete_of_what_is_not_there_is_refused_whole(mesh: Mesh) -> None:
    mesh.apply([HALF])
    before = mesh.status().resources
    with pytest.raises(Refused, match="not in this mesh"):
        mesh.delete([HALF, EGRESS])
    assert mesh.status().resources == before


def reset_goes_back_to_the_start(mesh: Mesh) -> None:
    before = mesh.status()
    mesh.apply([HALF, EGRESS])
    mesh.scale("svcb-v0.1", 2)
    mesh.reset()
    after = mesh.status()
    assert after.resources == before.resources
    assert len(after.replicas) == len(before.replicas)


def scale_returns_when_replicas_are_ready(mesh: Mesh) -> None:
    confirmed(mesh.scale("payments/svcb-v0.1", 2))
    replicas = [r for r in mesh.status().replicas if r.workload == "svcb-v0.1"]
    assert len(replicas) == 2
    assert all(r.ready for r in replicas)
    mesh.scale("svcb-v0.1", 0)
    assert not [r for r in mesh.status().replicas if r.workload == "svcb-v0.1"]


def names_that_mean_nothing_are_refused(mesh: Mesh) -> None:
    for call in (mesh.url, mesh.logs, lambda name: mesh.scale(name, 1)):
        with pytest.raises(UsageError, match="nobody"):
            call("nobody")
    with pytest.raises(UsageError, match="ambiguous"):
        mesh.scale("svcb", 1)
    with pytest.raises(UsageError):
        mesh.scale("svca", -1)
    with pytest.raises(Unsupported):
        mesh.fault("melt", "svca")


def urls_are_of_this_machine(mesh: Mesh) -> None:
    for target in ("gateway", "msgd.test", "10.100.35.27"):
        assert mesh.url(target).startswith("http://")
    assert mesh.url("msgd.test") == mesh.url("10.100.35.27")


def exec_hands_on_code_and_output(mesh: Mesh) -> None:
    done = mesh.exec("svca", ["sh", "-c", "echo out; echo err >&2; exit 7"])
    assert (done.code, done.stdout, done.stderr) == (7, b"out\n", b"err\n")


def egress_is_closed_until_a_rule_opens_it(mesh: Mesh) -> None:
    closed = mesh.curl("svcb-v0.1", MSGD)
    assert closed.status in (0, 502)
    assert "ServiceEntry" in closed.refused_by
    mesh.apply([EGRESS])
    opened = mesh.curl("svcb-v0.1", MSGD)
    assert (opened.status, opened.refused_by) == (200, "")
    mesh.delete([EGRESS])
    assert mesh.curl("svcb-v0.1", MSGD).refused_by


def a_request_is_in_the_access_log_of_its_run_only(mesh: Mesh) -> None:
    run_id = f"run-{uuid.uuid4().hex[:16]}"
    mesh.curl("svca", "http://svcb/healthz", headers=[("x-run-id", run_id)])
    records = mesh.access_log(run_id)
    assert {r.run_id for r in records} == {run_id}
    assert {r.direction for r in records} == {"outbound", "inbound"}
    assert mesh.access_log("run-of-nobody") == []


def down_is_safe_to_repeat(mesh: Mesh) -> None:
    """Runs last, on a mesh of its own."""
    mesh.down()
    mesh.down()
    with pytest.raises(MeshproofError, match="not up"):
        mesh.status()


def times_are_of_this_change(mesh: Mesh) -> None:
    started = time.monotonic()
    applied = mesh.apply([HALF])
    assert 0 < applied.seconds <= time.monotonic() - started


CASES: tuple[Case, ...] = (
    up_has_every_replica_ready,
    apply_is_confirmed_and_named,
    what_is_the_same_is_said_to_be,
    both_dialects_are_applied_and_deleted,
    bad_input_changes_nothing,
    delete_of_what_is_not_there_is_refused_whole,
    reset_goes_back_to_the_start,
    scale_returns_when_replicas_are_ready,
    names_that_mean_nothing_are_refused,
    urls_are_of_this_machine,
    exec_hands_on_code_and_output,
    egress_is_closed_until_a_rule_opens_it,
    a_request_is_in_the_access_log_of_its_run_only,
    times_are_of_this_change,
)
"""All that need no mesh of their own."""
