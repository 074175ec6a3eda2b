"""Under STRICT a sidecar takes no plain connection; those that speak mutual TLS notice nothing."""

from __future__ import annotations

import pytest

from e2e.payments.requests import no_failures
from e2e.payments.rules import EGRESS_BY_ADDRESS, RULES
from e2e.support.calls import send_calls
from meshproof.mesh import Mesh, Source
from meshproof.pytest_plugin import Judge, StartLoad
from meshproof.report.test_run import Run
from meshproof.verdicts.access import admitted, refused

pytestmark = pytest.mark.proxy

RULE = RULES / "mtls_strict.yaml"
URL = "http://svcb/healthz"
PLAIN = """
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: svcb-in-plain}
spec: {host: svcb, trafficPolicy: {tls: {mode: DISABLE}}}
"""
"""Callers of svcb speak plain HTTP, as a workload without a sidecar would."""


def test_a_plain_caller_is_refused(mesh: Mesh, run: Run, judge: Judge) -> None:
    mesh.apply([Source("a plain caller", PLAIN)])
    judge(admitted("PERMISSIVE: in plain", *send_calls(mesh, run, "svca", URL)))
    mesh.apply([RULE])
    turned_away = send_calls(mesh, run, "svca", URL)
    judge(refused("STRICT: in plain", *turned_away, status=503))
    judge(
        admitted("STRICT: in plain is let in", *turned_away),
        expect="fail",
        because="not every request was answered 200|0 requests reached an app",
    )
    mesh.delete([RULE])
    judge(admitted("PERMISSIVE again: in plain", *send_calls(mesh, run, "svca", URL)))


def test_the_mesh_itself_speaks_mutual_tls_already(
    mesh: Mesh, run: Run, load: StartLoad, judge: Judge
) -> None:
    mesh.apply([EGRESS_BY_ADDRESS["v1"]])
    running = load().reach(100)
    mesh.apply([RULE])
    results = running.reach(running.progress() + 200).stop()
    judge(no_failures("the switch to STRICT", results.records, run.access_log(), sent=results.sent))
