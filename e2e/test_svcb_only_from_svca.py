"""svcb answers svca only, and only what svca needs; without the rule it answers everybody."""

from __future__ import annotations

from pathlib import Path

from e2e.payments.requests import no_failures
from e2e.payments.rules import EGRESS_BY_ADDRESS, RULES
from e2e.support.calls import send_calls
from meshproof.mesh import Mesh
from meshproof.pytest_plugin import Judge, StartLoad
from meshproof.report.test_run import Run
from meshproof.verdicts.access import admitted, refused

RULE = RULES / "svcb_only_from_svca.yaml"
INTRUDER = Path(__file__).with_name("intruder.yaml")
URL = "http://svcb/notify?msg=x"
NOT_NEEDED = "http://svcb/healthz"


def test_an_intruder_is_refused_and_svca_is_not(
    mesh: Mesh, run: Run, load: StartLoad, judge: Judge
) -> None:
    mesh.apply([INTRUDER, EGRESS_BY_ADDRESS["v1"]])
    judge(admitted("without the rule: intruder", *send_calls(mesh, run, "intruder", URL)))
    mesh.apply([RULE])
    turned_away = send_calls(mesh, run, "intruder", URL)
    judge(refused("with the rule: intruder", *turned_away, status=403))
    judge(
        admitted("with the rule: intruder is let in", *turned_away),
        expect="fail",
        because="not every request was answered 200|0 requests reached an app",
    )
    assert {answer.body for answer in turned_away[0]} == {b"RBAC: access denied"}
    judge(admitted("with the rule: svca", *send_calls(mesh, run, "svca", URL)))
    results = load(requests=100).wait()
    judge(no_failures("with the rule: /pay", results.records, run.access_log(), sent=results.sent))
    mesh.delete([RULE])
    judge(admitted("after the rule: intruder", *send_calls(mesh, run, "intruder", URL)))


def test_svca_gets_what_it_needs_and_no_more(mesh: Mesh, run: Run, judge: Judge) -> None:
    mesh.apply([EGRESS_BY_ADDRESS["v1"]])
    judge(admitted("without the rule: svca, /healthz", *send_calls(mesh, run, "svca", NOT_NEEDED)))
    mesh.apply([RULE])
    judge(refused("svca, /healthz", *send_calls(mesh, run, "svca", NOT_NEEDED), status=403))
    judge(refused("svca, PUT", *send_calls(mesh, run, "svca", URL, method="PUT"), status=403))
    judge(admitted("svca, POST", *send_calls(mesh, run, "svca", URL, method="POST")))


def test_the_rule_comes_and_goes_under_load_and_fails_no_request(
    mesh: Mesh, run: Run, load: StartLoad, judge: Judge
) -> None:
    mesh.apply([EGRESS_BY_ADDRESS["v1"]])
    running = load().reach(100)
    for _ in range(5):
        mesh.apply([RULE])
        running.reach(running.progress() + 20)
        mesh.delete([RULE])
        running.reach(running.progress() + 20)
    results = running.stop()
    judge(no_failures("requests", results.records, run.access_log(), sent=results.sent))
