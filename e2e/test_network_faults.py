"""Network faults between two workloads: the fault affects them only, and ends when it is healed.

Payments stay truthful: paid, and not notified with a reason while svcb or msgd cannot be reached.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from e2e.payments import msgd
from e2e.payments.accounting import adds_up
from e2e.payments.payment import is_notified, payments
from e2e.payments.requests import no_failures
from e2e.payments.rules import EGRESS_BY_ADDRESS, RULES
from e2e.support.cli_mesh import Cli, serve, wait_for_output
from e2e.support.processes import until
from meshproof.errors import MeshproofError, Unsupported
from meshproof.mesh import Capability, Mesh
from meshproof.pytest_plugin import Judge, StartLoad
from meshproof.report.test_run import Run
from meshproof.traffic.results import Results

pytestmark = [pytest.mark.long, pytest.mark.alone]


N = 60
ALL_TO_V0_2 = RULES / "svcb_v0_2_100.yaml"


@pytest.fixture(autouse=True)
def _open(mesh: Mesh) -> None:
    if Capability.CUT not in mesh.capabilities:
        pytest.skip("network faults need the nodes of a kind cluster")
    mesh.apply([EGRESS_BY_ADDRESS["v1"], ALL_TO_V0_2])


def pay(load: StartLoad, judge: Judge, name: str) -> Results:
    results = load(requests=N, users=4).wait()
    judge(adds_up(name, results.records, sent=results.sent))
    return results


def fastest(results: Results) -> float:
    return min(record.elapsed for record in results.records)


def test_latency_is_added_on_that_way_alone(
    mesh: Mesh, load: StartLoad, judge: Judge, run: Run
) -> None:
    mesh.fault("latency", "svcb-v0.2", source="svca", ms=500)
    slow = pay(load, judge, "500 ms")
    assert fastest(slow) >= 0.5
    assert all(map(is_notified, slow.records))
    mesh.fault("heal", "svcb-v0.2")
    mesh.fault("latency", "svcb-v0.2", source="svcb-v0.1", ms=500)
    assert fastest(pay(load, judge, "500 ms for somebody else")) < 0.5


def test_latency_that_comes_and_goes_fails_no_request(
    mesh: Mesh, load: StartLoad, judge: Judge, run: Run
) -> None:
    running = load().reach(50)
    for _ in range(3):
        mesh.fault("latency", "svcb-v0.2", ms=20)
        running.reach(running.progress() + 50)
        mesh.fault("heal", "svcb-v0.2")
        running.reach(running.progress() + 50)
    results = running.stop()
    judge(no_failures("latency", results.records, run.access_log(), sent=results.sent))


def test_lost_data_comes_late_and_is_not_lost(mesh: Mesh, load: StartLoad, judge: Judge) -> None:
    mesh.fault("loss", "svcb-v0.2", source="svca", percent=30)
    results = pay(load, judge, "30 % loss")
    late = [r for r in results.records if r.elapsed >= 0.2]
    assert all(map(is_notified, results.records))
    assert late  # none of 60 at 30 %: less often than once in a thousand million


@pytest.mark.parametrize("kind", ["refuse", "cut"])
def test_whoever_cannot_reach_msgd_pays_and_is_told(
    mesh: Mesh, load: StartLoad, judge: Judge, run: Run, kind: str
) -> None:
    mesh.fault(kind, "msgd.test", source="svcb-v0.2")
    with msgd.watch(mesh, run.new()) as statuses:
        results = load(requests=12, users=12).wait()
    judge(adds_up(kind, results.records, sent=results.sent))
    assert set(statuses) == {200}
    paid = payments(results.records)
    assert {(p.status, p.paid, p.notified) for p in paid} == {(200, True, False)}
    assert all(p.reason for p in paid)
    assert msgd.message_ids(mesh, run.id) == []
    mesh.fault("heal", "msgd.test")
    assert all(map(is_notified, pay(load, judge, "healed").records))


def test_a_partition_holds_both_ways_and_for_nobody_else(mesh: Mesh) -> None:
    def status(caller: str, host: str) -> int:
        return mesh.curl(caller, f"http://{host}/healthz").status

    def silent(caller: str, host: str) -> None:
        """Envoy gives up after 10 s only, and tries again."""
        with pytest.raises(MeshproofError, match="no answer within 2 s"):
            mesh.curl(caller, f"http://{host}/healthz", timeout=2)

    mesh.fault("partition", "svcb-v0.2", source="svca")
    silent("svca", "svcb")
    silent("svcb-v0.2", "svca")
    assert status("svcb-v0.1", "svcb") == 200
    assert status("svcb-v0.1", "svca") == 200
    mesh.fault("clear", "svca")
    assert status("svca", "svcb") == status("svcb-v0.2", "svca") == 200


def test_a_replica_that_comes_later_is_concerned_too(mesh: Mesh) -> None:
    mesh.fault("refuse", "svcb-v0.2", source="svca")
    mesh.scale("svcb-v0.2", 2)
    assert mesh.curl("svca", "http://svcb/healthz").status == 503
    mesh.reset()
    assert mesh.curl("svca", "http://svcb/healthz").status == 200


def test_what_no_mesh_can_do_is_refused_by_name(mesh: Mesh) -> None:
    with pytest.raises(Unsupported, match=r"fault clock: .* has kill, pause"):
        mesh.fault("clock", "svca", ms=5)


# -- by the command line ---------------------------------------------------------------------------


@pytest.fixture
def cli(mesh: Mesh) -> Iterator[Cli]:
    with serve(mesh) as cli:
        yield cli


def test_a_fault_of_the_command_line_lasts_as_long_as_it_says(mesh: Mesh, cli: Cli) -> None:
    def reached() -> bool:
        return mesh.curl("svca", "http://svcb/healthz").status == 200

    code, output = cli.run("fault", "refuse", "svcb-v0.2", "--from", "svca")
    assert (code, output) == (0, "")
    assert not reached()
    assert cli.run("fault", "clear") == (0, "")
    assert reached()
    with cli.start("fault", "refuse", "svcb-v0.2", "--for", "600") as killed:
        wait_for_output(killed, "refuse of svcb-v0.2 for 600 s")
        assert not reached()
    until(reached, "the mesh clears the fault of a command that was killed")
    began = time.monotonic()
    code, _ = cli.run("fault", "refuse", "svcb-v0.2", "--for", "0.1")
    assert code == 0
    assert time.monotonic() - began >= 0.1
    assert reached()
