"""What a ServiceEntry allows for all, a Sidecar closes again for svcb, and for no other."""

from __future__ import annotations

from e2e.payments.egress_phases import Phases
from e2e.payments.rules import EGRESS_BY_ADDRESS, RULES
from e2e.support.calls import send_calls
from meshproof.mesh import Mesh
from meshproof.pytest_plugin import Judge
from meshproof.report.test_run import Run
from meshproof.verdicts.access import admitted

RULE = RULES / "svcb_knows_svca_only.yaml"


def test_msgd_is_open_closed_open(mesh: Mesh, phases: Phases) -> None:
    mesh.apply([EGRESS_BY_ADDRESS["v1"]])
    phases.allowed("before")
    mesh.apply([RULE])
    phases.blocked("with the Sidecar")
    mesh.delete([RULE])
    phases.allowed("after")


def test_svca_is_known_and_others_know_everything(mesh: Mesh, run: Run, judge: Judge) -> None:
    mesh.apply([RULE])
    judge(admitted("svcb -> svca", *send_calls(mesh, run, "svcb-v0.1", "http://svca/healthz")))
    judge(admitted("svca -> svcb", *send_calls(mesh, run, "svca", "http://svcb/healthz")))
    hidden = mesh.curl("svcb-v0.1", "http://svcb/healthz")
    assert (hidden.status, hidden.body) == (502, b"")
