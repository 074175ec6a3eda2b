"""The services as they really run: gunicorn, its shared settings, signals."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CONF = "services/common/gunicorn_conf.py"


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=300)
        self._path = str(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(300)  # ends a hang, decides nothing
        self.sock.connect(self._path)

    def ask(self, path: str, **headers: str) -> tuple[int, Any]:
        self.request("GET", path, headers=headers)
        response = self.getresponse()
        return response.status, json.loads(response.read())


class Service:
    """A process group of its own, so that a kill reaches gunicorn's worker too."""

    def __init__(self, name: str, folder: Path, **env: str) -> None:
        self.socket = folder / f"{name}.sock"
        self.home = folder / "home"
        self.home.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "gunicorn", "--config", CONF]
        command += ["--bind", f"unix:{self.socket}", f"services.{name}.wsgi:app"]
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={"HOME": str(self.home), "PATH": os.environ["PATH"], **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def connection(self) -> UnixConnection:
        """Waits until the socket accepts; fails at once if the process has ended."""
        while True:
            connection = UnixConnection(self.socket)
            try:
                connection.connect()
            except (FileNotFoundError, ConnectionRefusedError):
                connection.close()
                assert self.process.poll() is None, self.output()
                threading.Event().wait(0.01)
            else:
                return connection

    def output(self) -> str:
        return self.process.communicate(timeout=300)[0]

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate(timeout=300)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Any]:
    running: list[Service] = []

    def one(name: str, **env: str) -> Service:
        running.append(Service(name, tmp_path, **env))
        return running[-1]

    yield one
    for service in running:
        service.kill()


def test_what_msgd_acknowledged_survives_a_kill(start: Any, tmp_path: Path) -> None:
    env = {"MSGD_DB": str(tmp_path / "m.sqlite")}
    msgd = start("msgd", **env)
    acknowledged: list[str] = []
    enough = threading.Event()

    def send(number: int) -> None:
        connection = msgd.connection()
        with (
            contextlib.closing(connection),
            contextlib.suppress(OSError, http.client.HTTPException),
        ):
            for n in range(100_000):
                status, _ = connection.ask(f"/send?msg=x&id={number}-{n}", **{"x-run-id": "r"})
                assert status == 200
                acknowledged.append(f"{number}-{n}")
                if len(acknowledged) >= 200:
                    enough.set()

    threads = [threading.Thread(target=send, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    assert enough.wait(300)
    # Nothing can be committed any more: an answer given from here on would be a lie.
    other = sqlite3.connect(tmp_path / "m.sqlite", isolation_level=None, timeout=300)
    other.execute("BEGIN IMMEDIATE")
    with contextlib.closing(msgd.connection()) as late, contextlib.suppress(TimeoutError):
        assert late.sock is not None
        late.sock.settimeout(0.2)
        if late.ask("/send?msg=x&id=late", **{"x-run-id": "r"})[0] == 200:
            acknowledged.append("late")
    msgd.kill()  # in the middle of their requests
    other.close()
    for thread in threads:
        thread.join()

    with contextlib.closing(start("msgd", **env).connection()) as connection:
        _, kept = connection.ask("/messages?run=r")
    assert len(acknowledged) >= 200
    assert set(acknowledged) <= set(kept["ids"])
    assert len(kept["ids"]) == len(set(kept["ids"]))


def test_a_stop_finishes_what_is_under_way_and_leaves_nothing(
    start: Any, tmp_path: Path, backend: Any
) -> None:
    backend.answer = "hang"
    svcb = start("svcb", MSGD_URL=backend.url, READ_TIMEOUT="20")
    probe, answers = svcb.connection(), []
    assert probe.ask("/readyz")[0] == 200

    def notify() -> None:
        with contextlib.closing(svcb.connection()) as connection:
            answers.append(connection.ask("/notify?msg=x&id=a"))

    under_way = threading.Thread(target=notify)
    under_way.start()
    while not backend.paths:
        threading.Event().wait(0.01)
    svcb.process.send_signal(signal.SIGTERM)
    while (status := probe.ask("/readyz")[0]) == 200:  # until the worker has heard of it
        pass
    assert status == 503
    backend.answer = (200, {"stored": True})
    backend.over.set()
    under_way.join()
    probe.close()
    output = svcb.output()
    assert answers == [(200, {"notified": True, "version": "v0.1", "message_id": "a"})]
    assert svcb.process.returncode == 0
    assert [json.loads(line)["path"] for line in output.splitlines()] == [
        "/readyz",
        "/notify",
    ], output
    assert list(svcb.home.iterdir()) == []
    assert not svcb.socket.exists()


def test_bad_settings_end_the_process_with_one_message(start: Any) -> None:
    svca = start("svca", SVCB_URL="svcb", READ_TIMEOUT="x")
    output = svca.output()
    assert svca.process.returncode == 3
    assert "Traceback" not in output
    [line] = [line for line in output.splitlines() if line.startswith("svca: bad settings: ")]
    assert "SVCB_URL='svcb'" in line
    assert "READ_TIMEOUT='x'" in line
