"""Loads against a real server, in a real Locust process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
import requests

from meshproof.traffic.load import Load
from meshproof.traffic.results import LoadError
from tests.traffic.conftest import LOCUSTFILE, PayServer

pytestmark = pytest.mark.long
USERS = 4


def test_exactly_n_requests_each_with_the_run_id(server: PayServer, tmp_path: Path) -> None:
    with Load(
        server.url, locustfile=LOCUSTFILE, users=5, requests=203, run_id="run-1",
        headers={"end-user": "eve"}, folder=tmp_path,
    ) as load:  # fmt: skip
        results = load.wait()
    assert results.sent == len(results.records) == len(server.seen) == 203
    assert results.failed == 0
    assert {h["x-run-id"] for h in server.seen} == {"run-1"}
    assert {h["end-user"] for h in server.seen} == {"eve"}
    assert {r.extra["message_id"] for r in results.records} == {f"m{i}" for i in range(1, 204)}
    assert results.sample().counts == {"v0.1": 101, "v0.2": 102}
    assert results.counts() == {"notified": 101}
    reasons = [r.extra["reason"] for r in results.records if not r.extra["notified"]]
    assert reasons == ["refused"] * 102
    assert [r.time for r in results.records] == sorted(r.time for r in results.records)


def test_every_sort_of_failure_is_recorded_and_nothing_is_sent_twice(
    server: PayServer, tmp_path: Path
) -> None:
    server.trouble = {3: "status", 5: "close", 7: "body"}
    with Load(server.url, locustfile=LOCUSTFILE, users=1, requests=10, folder=tmp_path) as load:
        results = load.wait()
    assert results.sent == len(server.seen) == 10
    bad = [r for r in results.records if not r.answered]
    assert [r.status for r in bad] == [503, 0, 200]
    assert bad[1].error
    assert "not as agreed" in bad[2].error
    assert results.failed == 3
    assert results.sample().failed == 3


def test_a_response_that_breaks_off_is_no_answer(server: PayServer, tmp_path: Path) -> None:
    """As for any HTTP client: the status came, and the payer cannot know what became of it."""
    server.trouble = {2: "no body", 4: "half a body"}
    with Load(server.url, locustfile=LOCUSTFILE, users=1, requests=6, folder=tmp_path) as load:
        results = load.wait()
    bad = [r for r in results.records if not r.answered]
    assert [r.status for r in bad] == [0, 0]
    assert all(r.error.startswith("broke off after status 200") for r in bad)
    assert results.failed == 2


def test_an_open_load_stops_when_told_and_loses_nothing(server: PayServer) -> None:
    with Load(server.url, locustfile=LOCUSTFILE, users=4) as load:
        process = load.reach(50)._started()
        results = load.stop()
    assert process.returncode == 0
    assert results.sent == len(results.records) == len(server.seen) >= 50
    assert results.failed == 0


def test_a_load_ends_when_its_answers_suffice(server: PayServer) -> None:
    sizes: list[int] = []

    def suffices(counts: Mapping[str, int]) -> bool:
        # They take turns as requests arrive, and of two in flight either may arrive first.
        assert abs(counts.get("v0.1", 0) - counts.get("v0.2", 0)) <= 1 + 2 * (USERS - 1)
        sizes.append(sum(counts.values()))
        return sizes[-1] >= 100

    with Load(server.url, locustfile=LOCUSTFILE, users=USERS, requests=100_000) as load:
        results = load.until(suffices)
    assert 100 <= sizes[-1] <= results.sent == len(results.records) == len(server.seen) < 100_000
    assert [r.number for r in results.records] == list(range(1, results.sent + 1))


def test_a_load_whose_answers_never_suffice_ends_at_its_bound(server: PayServer) -> None:
    with Load(server.url, locustfile=LOCUSTFILE, users=4, requests=60) as load:
        results = load.until(lambda _: False)
    assert results.sent == len(server.seen) == 60


def test_nobody_listens_is_failed_requests_not_an_error(tmp_path: Path) -> None:
    with Load(
        "http://127.0.0.1:1", locustfile=LOCUSTFILE, users=2, requests=4, folder=tmp_path
    ) as load:
        results = load.wait()
    assert results.failed == results.sent == 4
    assert all(r.status == 0 and r.error for r in results.records)


def test_a_broken_locustfile_is_told_with_its_last_lines(tmp_path: Path) -> None:
    broken = tmp_path / "locustfile.py"
    broken.write_text("raise RuntimeError('no such thing here')\n")
    with (
        Load("http://127.0.0.1:1", locustfile=broken, requests=1, folder=tmp_path) as load,
        pytest.raises(LoadError, match="no such thing here"),
    ):
        load.wait()


def test_the_load_dies_with_a_parent_that_is_killed(server: PayServer, tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from meshproof.traffic.load import Load\n"
        "load = Load(sys.argv[1], locustfile=Path(sys.argv[2]), users=1).start().reach(5)\n"
        "print(load._started().pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, server.url, str(LOCUSTFILE)],
        stdout=subprocess.PIPE, text=True, cwd=LOCUSTFILE.parents[1],
        env={**os.environ, "TMPDIR": str(tmp_path)},
    ) as parent:  # fmt: skip
        assert parent.stdout
        pid = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 300
    while _runs(pid):
        assert time.monotonic() < deadline, "the load outlived its parent"
        time.sleep(0.01)


def _runs(pid: int) -> bool:
    """Whether the process exists and is no zombie waiting for its new parent."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.parametrize(
    "wrong", [{"users": 0}, {"requests": -1}, {"seconds": -1.0}, {"requests": 1, "seconds": 1.0}]
)
def test_contradicting_settings_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="wanted at least one"):
        Load("http://127.0.0.1:1", locustfile=LOCUSTFILE, **wrong)  # type: ignore[arg-type]  # meant


def test_misuse_is_named(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="no such locustfile"):
        Load("http://127.0.0.1:1", locustfile=tmp_path / "none.py")
    load = Load("http://127.0.0.1:1", locustfile=LOCUSTFILE, folder=tmp_path)
    with pytest.raises(LoadError, match="was not started"):
        load.wait()
    load.close()


def test_a_load_that_does_not_end_is_killed_and_told(server: PayServer, tmp_path: Path) -> None:
    with Load(server.url, locustfile=LOCUSTFILE, users=1, folder=tmp_path) as load:
        process = load.reach(1)._started()
        with pytest.raises(LoadError, match=r"did not end in 0\.01 s; \d+ requests done"):
            load.wait(within=0.01)
    assert process.returncode == -signal.SIGKILL


def test_with_locusts_page_the_user_starts_it_as_often_as_wanted(server: PayServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with Load(server.url, locustfile=LOCUSTFILE, users=1, page=port) as load:
        assert load.page_ready() == f"http://127.0.0.1:{port}"
        before = 0
        for _ in range(2):
            requests.post(
                f"{load.page_ready()}/swarm", data={"user_count": 1, "spawn_rate": 1}, timeout=300
            ).raise_for_status()
            before = load.reach(before + 5).progress()
            requests.post(f"{load.page_ready()}/stop", timeout=300).raise_for_status()
        results = load.stop()
        assert "Aggregated" in load.summary()
    assert results.sent == len(server.seen) >= 10
    assert results.failed == 0
