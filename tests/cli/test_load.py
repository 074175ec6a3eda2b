"""``load``: on a running mesh, on one of its own, and how it ends."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from meshproof.embedded import state
from tests.control.fake import FakeMesh
from tests.traffic.conftest import PayServer, server

__all__ = ["server"]
Cli = Any
Started = Any


def test_load_on_a_running_mesh(
    fake: FakeMesh, cli: Cli, server: PayServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fake, "url", lambda target: server.url if target == "gateway" else "")
    server.trouble = {7: "status"}
    done = cli("load", "--requests", "40", "--users", "2", "-o", "json")
    assert done.code == 1, "a request failed"
    said = json.loads(done.out)
    assert (said["sent"], said["failed"], said["notified"]) == (40, 1, 20)
    assert said["versions"] == {"v0.1": 20, "v0.2": 19}
    assert {headers["x-run-id"] for headers in server.seen} == {said["run_id"]}
    assert done.err == f"load {said['run_id']} on {server.url} (mesh shop)\n"


def test_control_c_ends_load_and_the_mesh_started_for_it(
    started: Started, runtime_dir: Path
) -> None:
    load = started("load", "--users", "1")
    lines = [load.stderr.readline() for _ in range(2)]
    assert lines[0] == "no mesh named shop is running: one is started for this load\n"
    assert lines[1].endswith("(mesh shop); Ctrl-C ends it\n")
    load.send_signal(signal.SIGINT)
    out, _err = load.communicate(timeout=60)
    assert "requests, " in out.splitlines()[-1]
    assert state.running() == ()
    assert not (runtime_dir / "meshproof").exists()


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("--requests", "1", "--ui"), "at most one of --seconds, --requests and --ui"),
        (("--seconds", "1", "--locustfile", "gone.py"), "gone.py: there is no such locustfile"),
    ],
)
def test_refused(fake: FakeMesh, cli: Cli, argv: tuple[str, ...], said: str) -> None:
    done = cli("load", *argv)
    assert done.code != 0
    assert said in done.err


def test_without_a_mesh_or_a_project_it_says_what_it_wants(
    cli: Cli, runtime_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = cli("load", "--seconds", "1")
    assert done.code == 2
    assert done.err == (
        "error: load: no mesh named shop is running, and no meshproof.yaml is here\n"
    )
