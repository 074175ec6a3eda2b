"""``load --workers``: sent from the pods of a cluster, shown as any other load."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import Any

import pytest

from tests.fakes.mesh import FakeMesh
from tests.fakes.pod_results import pod_results
from tests.fakes.remote_mesh import ClusterFakeMesh
from tests.traffic.conftest import LOCUSTFILE

Cli = Any

Until = Any

LOAD = ("load", "--workers", "2", "--users", "2", "--seconds", "5", "--locustfile", str(LOCUSTFILE))


def test_load_is_sent_there_and_shown_as_any_other(cluster_fake: ClusterFakeMesh, cli: Cli) -> None:
    done = cli(*LOAD)
    ((_, order),) = cluster_fake.calls
    assert (order.workers, order.users, order.seconds, order.path) == (2, 2, 5.0, "/pay")
    assert order.locustfile == LOCUSTFILE.read_text()
    assert done.out.splitlines()[0] == "Aggregated"
    assert "v0.2      2          66.67%" in done.out
    assert "3 requests, 0 failed" in done.out
    report, line = done.err.splitlines()
    assert report.startswith("report: ")
    assert line == f"load {order.run_id} from 2 workers on the cluster of shop"


def test_a_failed_request_is_an_exit_code(cluster_fake: ClusterFakeMesh, cli: Cli) -> None:
    cluster_fake.worker = pod_results("v0.1", status=503)
    done = cli(*LOAD)
    assert done.code == 1
    assert "3 requests, 1 failed" in done.out


def test_control_c_ends_it_there_too(cluster_fake: ClusterFakeMesh, until: Until) -> None:
    cluster_fake.hold = True
    process = subprocess.Popen(
        [sys.executable, "-m", "meshproof.cli", *LOAD, "--name", "shop"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until(lambda: cluster_fake.calls, "the load runs")
    process.send_signal(signal.SIGINT)
    assert process.wait(300) == 130
    until(lambda: cluster_fake.stopped, "it is stopped")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--ui", "--seconds", "0"), "leave out --workers"),
        (("--seconds", "0"), "with workers wanted one of --seconds and --requests"),
        (("--users", "1"), "2 workers for 1 users"),
        (("--locustfile", "gone.py"), "gone.py: there is no such locustfile"),
    ],
)
def test_load_refuses(
    cluster_fake: ClusterFakeMesh, cli: Cli, more: tuple[str, ...], message: str
) -> None:
    done = cli(*LOAD, *more)
    assert done.code == 2
    assert message in done.err
    assert cluster_fake.calls == []


def test_a_mesh_on_this_machine_sends_no_load_from_pods(fake: FakeMesh, cli: Cli) -> None:
    done = cli(*LOAD)
    assert done.code != 0
    assert "the mesh shop is on no cluster (MESH=kind is)" in done.err
