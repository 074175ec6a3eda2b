"""One server that forks the Locust of several loads."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from meshproof.host.process_identity import start_time
from meshproof.traffic.load import Load
from meshproof.traffic.locust_process import LOST, LocustServer
from meshproof.traffic.results import LoadError
from tests.fakes.until import until
from tests.traffic.conftest import LOCUSTFILE, PayServer

pytestmark = pytest.mark.long


def test_loads_of_one_server_differ_in_all_that_is_theirs(
    server: PayServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "helper.py").write_text("import os\nPRICE = os.environ['PRICE']\n")
    priced = tmp_path / "priced.py"
    priced.write_text(
        "import helper\nfrom meshproof.traffic.locust_user import RecordedUser\n"
        "class Payer(RecordedUser):\n"
        "    def read(self, body):\n        return {'extra': {'price': helper.PRICE}}\n"
    )
    with LocustServer() as locust:
        with Load(server.url, locustfile=LOCUSTFILE, requests=5, server=locust) as plain:
            assert plain.wait().run_id == plain.run_id
        monkeypatch.setenv("PRICE", "12")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        with Load(server.url, locustfile=priced, requests=3, server=locust, run_id="two") as load:
            results = load.wait()
    assert [r.extra["price"] for r in results.records] == ["12"] * 3
    assert [h["x-run-id"] for h in server.seen] == [plain.run_id] * 5 + ["two"] * 3


def test_loads_of_one_server_may_run_at_once(server: PayServer) -> None:
    with (
        LocustServer() as locust,
        Load(server.url, locustfile=LOCUSTFILE, server=locust) as one,
        Load(server.url, locustfile=LOCUSTFILE, server=locust) as two,
    ):
        one.reach(20)
        two.reach(20)
        assert one.stop().failed == two.stop().failed == 0
        assert one._started().pid != two._started().pid


def test_a_load_that_is_killed_or_whose_watcher_is_ends_alone(server: PayServer) -> None:
    with LocustServer() as locust:
        with Load(server.url, locustfile=LOCUSTFILE, users=1, server=locust) as load:
            process = load.reach(1)._started()
            os.kill(process.pid, signal.SIGKILL)
            with pytest.raises(LoadError, match="ended with code -9"):
                load.wait()
        with Load(server.url, locustfile=LOCUSTFILE, users=1, server=locust) as load:
            process = load.reach(1)._started()
            watcher = psutil.Process(process.pid).parent()
            assert watcher, "it reports the exit code"
            watcher.kill()
            with pytest.raises(LoadError, match=f"ended with code {LOST}"):
                load.wait()
        until(lambda: start_time(process.pid) is None, "Locust ended as well")
        with Load(server.url, locustfile=LOCUSTFILE, requests=1, server=locust) as load:
            assert load.wait().failed == 0


def test_a_server_that_was_killed_is_started_again(server: PayServer) -> None:
    with LocustServer() as locust:
        with Load(server.url, locustfile=LOCUSTFILE, users=1, server=locust) as load:
            watcher = psutil.Process(load.reach(1)._started().pid).parent()
            assert watcher, "it reports the exit code"
            own = watcher.parent()
            assert own, "it is the server"
            own.kill()
            own.wait()
            assert load.stop().failed == 0, "what runs is watched as before"
        with Load(server.url, locustfile=LOCUSTFILE, requests=2, server=locust) as load:
            assert load.wait().sent == 2


def test_a_server_that_cannot_start_is_told_in_its_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho no locust here; exit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    with (
        Load("http://127.0.0.1:1", locustfile=LOCUSTFILE, requests=1) as load,
        pytest.raises(LoadError, match=rf"ended with code {LOST}; .*no locust here"),
    ):
        load.wait()


def test_nothing_is_left_of_a_server(server: PayServer) -> None:
    before = set(psutil.Process().children(recursive=True))
    with Load(server.url, locustfile=LOCUSTFILE, users=1) as load:
        load.reach(1)
        new = set(psutil.Process().children(recursive=True)) - before
        assert len(new) == 3, "the server, the watcher and Locust"
    until(lambda: not any(start_time(p.pid) for p in new), "all three have ended")
