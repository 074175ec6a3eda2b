"""pytest with real meshes, under pytest-xdist and beside itself: however it ends, nothing stays."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from meshproof.host import processes
from meshproof.host.process_identity import start_time
from tests.fakes.until import until

pytestmark = pytest.mark.long


REPOSITORY = Path(__file__).parents[2]
TINY = REPOSITORY / "e2e" / "tiny"
WITHIN = 300.0
"""Seconds after which a condition is taken for never; a loaded machine is slow, not broken."""
TEST = """
import json, os, threading

def test_{half}(mesh):
    told = dict(run_id=mesh.run_id, folder=str(mesh.run_dir), pid=os.getpid(), name=mesh.name)
    with open("{half}.part", "w") as out:
        json.dump(told, out)
    os.rename("{half}.part", "{half}.json")
    threading.Event().wait(600)
"""


@dataclass(frozen=True, slots=True)
class Told:
    """What a test said of the mesh of its process."""

    run_id: str
    folder: str
    pid: int
    name: str

    def remains(self) -> list[str]:
        remaining = [p.command for p in processes.find_marked() if p.run_id == self.run_id]
        return remaining + [self.folder] * Path(self.folder).exists()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("app.py", "mesh.yaml", "meshproof.yaml"):
        shutil.copy(TINY / name, tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    for half in ("a", "b"):
        (tmp_path / f"test_{half}.py").write_text(TEST.format(half=half))
    return tmp_path


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """Run folders in a short place of the test's own."""
    folder = tempfile.mkdtemp(prefix="mp-")
    try:
        own = {"PYTHONPATH": str(REPOSITORY), "XDG_RUNTIME_DIR": folder, "XDG_STATE_HOME": folder}
        yield {**os.environ, **own, "MESH": "embedded"}
    finally:
        shutil.rmtree(folder)


def start(folder: Path, environment: dict[str, str], *options: str) -> subprocess.Popen[str]:
    """In a session of its own, so that a signal to its group is Ctrl-C at its terminal."""
    with (folder / "output").open("w") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options],
            cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT, text=True,
            start_new_session=True,
        )  # fmt: skip


def read_mesh(folder: Path, half: str, running: subprocess.Popen[str]) -> Told:
    file = folder / f"{half}.json"

    def is_written() -> bool:
        assert running.poll() is None, (folder / "output").read_text()
        return file.exists()

    until(is_written, f"test {half} has its mesh", within=WITHIN)
    return Told(**json.loads(file.read_text()))


def end(running: subprocess.Popen[str]) -> None:
    if running.poll() is None:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_two_workers_have_a_mesh_each_and_leave_nothing(
    project: Path, environment: dict[str, str], number: signal.Signals
) -> None:
    running = start(project, environment, "-n", "2", "--dist", "loadfile")
    try:
        both = [read_mesh(project, half, running) for half in ("a", "b")]
        assert len({one.pid for one in both} | {running.pid}) == 3
        assert sorted(one.name.rpartition("-")[2] for one in both) == ["gw0", "gw1"]
        assert all(one.remains() for one in both)
        if number is signal.SIGINT:
            os.killpg(running.pid, number)
        else:
            running.send_signal(number)
        until(lambda: running.poll() is not None, "pytest has ended", within=WITHIN)
        until(lambda: not any(one.remains() for one in both), "both meshes are gone", within=WITHIN)
        until(
            lambda: not any(start_time(one.pid) for one in both), "and both workers", within=WITHIN
        )
    finally:
        end(running)


def test_a_killed_worker_takes_its_mesh_along_and_no_other(
    project: Path, environment: dict[str, str]
) -> None:
    running = start(project, environment, "-n", "2", "--dist", "loadfile")
    try:
        missing, other = (read_mesh(project, half, running) for half in ("a", "b"))
        os.kill(missing.pid, signal.SIGKILL)
        until(lambda: not missing.remains(), "its mesh is gone", within=WITHIN)
        assert other.remains()
        os.killpg(running.pid, signal.SIGINT)
        until(lambda: running.poll() is not None, "pytest has ended", within=WITHIN)
        until(lambda: not other.remains(), "the other mesh is gone", within=WITHIN)
    finally:
        end(running)


def test_two_sessions_at_once_do_not_meet(project: Path, environment: dict[str, str]) -> None:
    first = start(project, environment, "test_a.py")
    second = None
    try:
        one = read_mesh(project, "a", first)
        second = start(project, environment, "test_b.py")
        two = read_mesh(project, "b", second)
        assert one.run_id != two.run_id
        assert one.name != two.name
        first.send_signal(signal.SIGINT)
        until(
            lambda: first.poll() is not None and not one.remains(),
            "the first is gone",
            within=WITHIN,
        )
        assert two.remains()
        second.send_signal(signal.SIGTERM)
        until(
            lambda: second.poll() is not None and not two.remains(),
            "the second is gone",
            within=WITHIN,
        )
    finally:
        end(first)
        if second:
            end(second)
