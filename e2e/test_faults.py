"""What fails while payments run: with replicas to spare and a rule to retry, no caller notices.

Killed and paused replicas do fail requests on their own sidecars, which the retry hides: here the
caller's side is judged, and that the fault was a real one is required apart.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from e2e.payments import msgd
from e2e.payments.requests import no_failures
from e2e.payments.rules import EGRESS_BY_ADDRESS, deployments
from e2e.support.processes import until
from meshproof.mesh import STDIN, Mesh, Source
from meshproof.pytest_plugin import Judge, StartLoad
from meshproof.report.test_run import Run
from meshproof.traffic.load import Load
from meshproof.traffic.results import Results

pytestmark = [pytest.mark.long, pytest.mark.alone]


BEFORE, AFTER = 100, 300
"""Requests recorded before the fault, and at least so many after it began."""
RETRIES = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: svcb
spec:
  hosts: [svcb]
  http:
    - route:
        - destination: {host: svcb}
      timeout: 60s
      retries:
        attempts: 10
        perTryTimeout: 3s
        retryOn: connect-failure,refused-stream,reset,gateway-error
"""


class UnderLoad:
    """Payments before, during and after something happens."""

    def __init__(self, mesh: Mesh, run: Run, load: StartLoad, judge: Judge) -> None:
        self._mesh, self._run, self._load, self._judge = mesh, run, load, judge

    def __call__(self, name: str, happens: Callable[[Load], object]) -> Results:
        """No request fails at the caller while it ``happens``; returns Locust's results."""
        running = self._load().reach(BEFORE)
        happens(running)
        results = running.reach(running.progress() + AFTER).stop()
        gateway = [r for r in self._run.access_log() if r.direction == "gateway"]
        self._judge(no_failures(name, results.records, gateway, sent=results.sent))
        return results

    def unnoticed(self, name: str, happens: Callable[[Load], object]) -> None:
        """Not even a sidecar saw a request fail."""
        results = self(name, happens)
        self._judge(
            no_failures(f"{name}: logs", results.records, self._run.access_log(), sent=results.sent)
        )


@pytest.fixture
def under_load(mesh: Mesh, run: Run, load: StartLoad, judge: Judge) -> UnderLoad:
    mesh.apply([EGRESS_BY_ADDRESS["v1"]])
    return UnderLoad(mesh, run, load, judge)


def replica(mesh: Mesh, workload: str) -> str:
    return next(r.name for r in mesh.status().replicas if r.workload == workload)


def state(mesh: Mesh, name: str) -> tuple[int, bool]:
    return next((r.restarts, r.ready) for r in mesh.status().replicas if r.name == name)


@pytest.mark.parametrize("part", ["app", "sidecar"])
def test_a_killed_replica_is_left_out_and_comes_back(
    mesh: Mesh, under_load: UnderLoad, part: str
) -> None:
    mesh.apply([Source(STDIN, RETRIES)])
    victim = replica(mesh, "svcb-v0.1")

    def kill(_load: Load) -> None:
        mesh.fault("kill", "svcb-v0.1", part=part, replica=victim)
        until(lambda: state(mesh, victim)[0] > restarts, "its end is noticed")
        until(lambda: state(mesh, victim)[1], "it is ready again")

    restarts = state(mesh, victim)[0]
    results = under_load(f"{part} killed", kill)
    assert {r.version for r in results.records} == {"v0.1", "v0.2"}


@pytest.mark.parametrize("part", ["app", "sidecar"])
def test_a_paused_replica_is_gone_round(mesh: Mesh, under_load: UnderLoad, part: str) -> None:
    if part == "sidecar" and mesh.status().kind != "embedded":
        pytest.skip("Istio's probe takes a minute to notice an Envoy that hangs")
    patient = deployments("svca", {"READ_TIMEOUT": "60"})  # longer than some tries
    mesh.apply([Source("a patient svca", patient), Source(STDIN, RETRIES)])
    victim = replica(mesh, "svcb-v0.1")

    def pause(load: Load) -> None:
        mesh.fault("pause", "svcb-v0.1", part=part, replica=victim)
        load.reach(load.progress() + 60)
        mesh.fault("resume", "svcb-v0.1", part=part, replica=victim)
        until(lambda: state(mesh, victim)[1], "it is in service again")

    under_load(f"{part} paused", pause)


def test_a_rolling_change_fails_no_request(mesh: Mesh, under_load: UnderLoad) -> None:
    def change(_load: Load) -> None:
        before = replica(mesh, "svcb-v0.1")
        mesh.apply([Source(STDIN, deployments("svcb", {"COLOUR": "blue"}))])
        assert replica(mesh, "svcb-v0.1") != before

    under_load.unnoticed("rolling change", change)


def test_scaling_up_and_down_fails_no_request(mesh: Mesh, under_load: UnderLoad) -> None:
    def scale(_load: Load) -> None:
        for workload in ("svcb-v0.1", "svca"):
            mesh.scale(workload, 3)
            mesh.scale(workload, 1)

    under_load.unnoticed("1 -> 3 -> 1", scale)


def test_renewed_certificates_fail_no_request(mesh: Mesh, under_load: UnderLoad) -> None:
    renew = getattr(mesh, "renew_certificates", None)
    if renew is None:
        pytest.skip("certificates are renewed by the embedded mesh at will, elsewhere by istiod")

    def thrice(load: Load) -> None:
        for _ in range(3):
            renew()
            load.reach(load.progress() + 30)

    under_load.unnoticed("certificates renewed", thrice)


def test_a_killed_outside_host_comes_back_with_what_it_had(mesh: Mesh, run: Run) -> None:
    mesh.apply([EGRESS_BY_ADDRESS["v1"]])
    assert mesh.curl("svca", "http://svca/pay", headers=[("x-run-id", run.id)]).status == 200
    (message,) = msgd.message_ids(mesh, run.id)
    mesh.fault("kill", "msgd.test")

    def back() -> bool:
        try:
            return msgd.message_ids(mesh, run.id) == [message]
        except OSError:
            return False

    until(back, "msgd answers again, with the message that it had acknowledged")
