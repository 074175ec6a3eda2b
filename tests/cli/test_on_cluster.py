"""``observe`` and ``load --workers``: what only a mesh on a cluster does."""

from __future__ import annotations

import dataclasses
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from meshproof.control.routes.cluster import SupportsCluster
from meshproof.control.serve import serve_mesh
from meshproof.mesh import MeshStatus
from meshproof.traffic.distributed_load import DistributedLoad
from meshproof.traffic.results import LoadError
from tests.cli.test_remote import FarMesh
from tests.cluster.test_load import pod_results
from tests.fakes.mesh import FakeMesh
from tests.traffic.conftest import LOCUSTFILE

Cli = Any
Until = Any
LOAD = ("load", "--workers", "2", "--users", "2", "--seconds", "5", "--locustfile", str(LOCUSTFILE))


class ClusterFake(FarMesh):
    """Sends nothing; ``hold`` keeps a load from ending until it is stopped."""

    hold = False
    stopped = False
    worker = pod_results("v0.1")

    def spread_load(self, order: DistributedLoad, stop: threading.Event) -> list[dict[str, Any]]:
        self.asked.append(("load", order))
        if self.hold:
            self.stopped = stop.wait(30)
            raise LoadError("ended")
        pods = (pod_results(log="Aggregated"), self.worker, pod_results("v0.2", "v0.2"))
        return [json.loads(pod) for pod in pods]

    def status(self) -> MeshStatus:
        return dataclasses.replace(super().status(), kind="kind")

    def observe(self, folder: Path) -> None:
        self.asked.append(("observe", folder))

    def addon_urls(self, folder: Path) -> dict[str, str]:
        return {"kiali": "http://127.0.0.1:2", "grafana": "http://127.0.0.1:1"}

    def unobserve(self, folder: Path) -> None:
        self.asked.append(("unobserve", folder))


@pytest.fixture
def cluster_fake(
    runtime_dir: Path, ended: threading.Event, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ClusterFake]:
    monkeypatch.chdir(tmp_path)  # reports are left there
    (tmp_path / "meshproof.yaml").write_text("manifests: [k8s]\npath: /pay\n")
    made = ClusterFake()
    assert isinstance(made, SupportsCluster)
    with serve_mesh(made, ended):
        yield made


def test_load_is_sent_there_and_shown_as_any_other(cluster_fake: ClusterFake, cli: Cli) -> None:
    done = cli(*LOAD)
    ((_, order),) = cluster_fake.asked
    assert (order.workers, order.users, order.seconds, order.path) == (2, 2, 5.0, "/pay")
    assert order.locustfile == LOCUSTFILE.read_text()
    assert done.out.splitlines()[0] == "Aggregated"
    assert "v0.2      2          66.67%" in done.out
    assert "3 requests, 0 failed" in done.out
    report, line = done.err.splitlines()
    assert report.startswith("report: ")
    assert line == f"load {order.run_id} from 2 workers on the cluster of shop"


def test_a_failed_request_is_an_exit_code(cluster_fake: ClusterFake, cli: Cli) -> None:
    cluster_fake.worker = pod_results("v0.1", status=503)
    done = cli(*LOAD)
    assert done.code == 1
    assert "3 requests, 1 failed" in done.out


def test_control_c_ends_it_there_too(cluster_fake: ClusterFake, until: Until) -> None:
    cluster_fake.hold = True
    process = subprocess.Popen(
        [sys.executable, "-m", "meshproof.cli", *LOAD, "--name", "shop"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until(lambda: cluster_fake.asked, "the load runs")
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
    until(lambda: cluster_fake.stopped, "it is stopped")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--ui", "--seconds", "0"), "leave out --workers"),
        (("--seconds", "0"), "with workers wanted one of --seconds and --requests"),
        (("--users", "1"), "2 workers for 1 users"),
        (("--locustfile", "gone.py"), "gone.py: there is no such locustfile"),
    ],
)
def test_load_refuses(
    cluster_fake: ClusterFake, cli: Cli, more: tuple[str, ...], said: str
) -> None:
    done = cli(*LOAD, *more)
    assert done.code == 2
    assert said in done.err
    assert cluster_fake.asked == []


def test_observe_shows_where_each_is(cluster_fake: ClusterFake, cli: Cli) -> None:
    done = cli("observe", "manifests/observability")
    assert cluster_fake.asked == [("observe", Path("manifests/observability").absolute())]
    assert [line.split() for line in done.out.splitlines()[1:]] == [
        ["grafana", "http://127.0.0.1:1"], ["kiali", "http://127.0.0.1:2"],
    ]  # fmt: skip
    assert cli("observe", "x", "--off").err == "the add-ons are deleted\n"
    assert cluster_fake.asked[1] == ("unobserve", Path("x").absolute())


def test_a_mesh_on_this_machine_sends_no_load_from_pods(fake: FakeMesh, cli: Cli) -> None:
    done = cli(*LOAD)
    assert done.code != 0
    assert "the mesh shop is on no cluster (MESH=kind is)" in done.err


def test_a_mesh_on_this_machine_has_nothing_to_delete(fake: FakeMesh, cli: Cli) -> None:
    done = cli("observe", "--off")
    assert done.code == 2
    assert "--off is for a cluster: here Prometheus ends with Ctrl-C" in done.err
