"""A load in several processes: real Locusts, a master and two workers, against a server here."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from meshproof.cluster.load_jobs import master_arguments, worker_arguments
from meshproof.traffic import cluster_worker, distributed_load, results
from meshproof.traffic.distributed_load import LOG, RECORDS, STATS, DistributedLoad
from meshproof.traffic.settings import LoadSettings
from tests.traffic.conftest import LOCUSTFILE, PayServer, server

pytestmark = pytest.mark.long


__all__ = ["server"]
Bound = dict[str, float]
ROOT = Path(__file__).parents[2]
_RUN = (
    "from meshproof.traffic import cluster_worker; import sys; "
    "sys.exit(cluster_worker.run(sys.argv[1:]))"
)


def test_shares_are_all_of_it() -> None:
    assert [cluster_worker.share(10, 3, index) for index in range(3)] == [4, 3, 3]
    assert [cluster_worker.share(0, 3, index) for index in range(3)] == [0, 0, 0]


def test_the_master_has_no_share() -> None:
    environment = LoadSettings("r", "/x/records", "/x/stats", 10).as_environment()
    assert cluster_worker.own_settings(environment).requests == 10
    worker = {**environment, "WORKERS": "3", "JOB_COMPLETION_INDEX": "0"}
    assert cluster_worker.own_settings(worker).requests == 4


class Pods:
    """A folder for each of three pods, and a free port for the master."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder, self._url = folder, url
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = str(free.getsockname()[1])
        self.processes: list[subprocess.Popen[bytes]] = []

    def environment(self, index: int, requests: int) -> dict[str, str]:
        folder = self._folder / str(index)
        folder.mkdir(exist_ok=True)
        settings = LoadSettings(
            "run", str(folder / "requests.ndjson"), str(folder / "stats.json"), requests
        )
        own = {"WORKERS": "2", "JOB_COMPLETION_INDEX": str(index)} if index < 2 else {}
        return {**os.environ, **settings.as_environment(), **own, "PYTHONPATH": str(ROOT)}

    def start(self, requests: int, seconds: float) -> None:
        order = DistributedLoad(
            run_id="run", workers=2, users=4, requests=requests, seconds=seconds, locustfile=""
        )
        loopback = ["--master-bind-host", "127.0.0.1", "--master-bind-port", self._port]
        joined = ["--master-port", self._port]
        master = [*master_arguments(order, self._url, str(LOCUSTFILE)), *loopback]
        worker = [*worker_arguments("127.0.0.1", str(LOCUSTFILE)), *joined]
        for index, arguments in enumerate((worker, worker, master)):
            self.processes.append(
                subprocess.Popen(
                    [sys.executable, "-c", _RUN, *arguments],
                    env=self.environment(index, requests),
                )
            )

    def outputs(self, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
        collected = []
        for index in (2, 0, 1):
            for name, value in self.environment(index, 0).items():
                monkeypatch.setenv(name, value)
            assert cluster_worker.ended(0) == "0"
            collected.append(cluster_worker.collect())
        return collected


@pytest.fixture
def pods(tmp_path: Path, server: PayServer) -> Iterator[Pods]:
    pods = Pods(tmp_path, server.url)
    yield pods
    for process in pods.processes:
        process.kill()
        process.wait()


@pytest.mark.parametrize("bound", [{"requests": 41}, {"seconds": 1.0}], ids=str)
def test_master_and_workers_bring_back_every_request(
    pods: Pods, server: PayServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: Bound
) -> None:
    requests = int(bound.get("requests", 0))
    server.trouble = {1: "status"}
    pods.start(requests, bound.get("seconds", 0.0))
    assert [process.wait(300) for process in pods.processes] == [0, 0, 0]
    distributed_load.write(pods.outputs(monkeypatch), tmp_path)
    load_results = results.read("run", tmp_path / RECORDS, tmp_path / STATS)
    assert load_results.sent == len(server.seen)
    assert load_results.failed == min(1, load_results.sent)  # a second of a busy machine is short
    assert load_results.sent == requests or not requests
    assert {headers["x-run-id"] for headers in server.seen} <= {"run"}
    assert "Aggregated" in (tmp_path / LOG).read_text()
    shares = [len((tmp_path / n / "requests.ndjson").read_text().splitlines()) for n in ("0", "1")]
    assert sum(shares) == load_results.sent
    if requests:
        assert sorted(shares) == [20, 21], "both workers sent"


def test_what_lacks_an_account_is_an_error(tmp_path: Path) -> None:
    outputs: Callable[[Any], dict[str, Any]] = lambda stats: {  # noqa: E731
        "log": "its words", "stats": stats, "records": "H4sIAAAAAAAC/wMAAAAAAAAAAAA=",
    }  # fmt: skip
    with pytest.raises(results.LoadError, match="its words"):
        distributed_load.write([outputs(None), outputs(None)], tmp_path)
