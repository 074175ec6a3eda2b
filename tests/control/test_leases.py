"""Leases: what a process changed is undone when it is gone, however it ended."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from meshproof.control.client import Client
from meshproof.control.serve import serve_mesh
from meshproof.errors import NotLive, UsageError
from meshproof.mesh import Applied
from tests.fakes.mesh import FakeMesh
from tests.fakes.until import until

UNDO = ("apply", [("<undo>", "back")], "payments", False)
ROOT = Path(__file__).parents[2]
HOLDER = """
import sys
from meshproof.control.client import Client
hold = Client.find("shop").hold("release", [("<undo>", "back")], "payments", float(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(fake: FakeMesh) -> Iterator[Callable[[float], subprocess.Popen[str]]]:
    """Starts processes that hold ``release`` and never let go by themselves."""
    started: list[subprocess.Popen[str]] = []

    def start(grace: float) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(grace)],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


Holder = Callable[[float], "subprocess.Popen[str]"]


def test_the_mesh_undoes_what_a_killed_process_held(fake: FakeMesh, holder: Holder) -> None:
    process = holder(0.0)
    assert fake.calls == []
    process.kill()
    until(lambda: fake.calls == [UNDO])


def test_within_the_grace_another_process_takes_it_over(
    fake: FakeMesh, client: Client, holder: Holder
) -> None:
    holder(60.0).kill()

    def can_be_taken() -> bool:  # not before the mesh has noticed that the first one is gone
        try:
            client.hold("release", [], "", 0.0).release()
        except UsageError:
            return False
        return True

    until(can_be_taken)
    assert fake.calls == []


def test_a_hold_has_one_holder(client: Client, holder: Holder) -> None:
    holder(60.0)
    with pytest.raises(UsageError, match="release is under way already, by another process"):
        client.hold("release", [], "", 0.0)


def test_what_is_released_is_not_undone(fake: FakeMesh, client: Client) -> None:
    client.hold("release", [("<undo>", "back")], "payments", 0.0).release()

    def free() -> bool:  # taken again, so the release has arrived
        try:
            client.hold("release", [], "", 0.0).release()
        except UsageError:
            return False
        return True

    until(free)
    assert UNDO not in fake.calls


def test_undoing_is_tried_until_it_is_live(
    runtime_dir: Path, ended: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow(FakeMesh):
        tries = 0

        def apply(self, *args: object, **kwargs: object) -> Applied:
            self.tries += 1
            if self.tries < 3:
                raise NotLive("svca-1 stayed silent")
            return self._applied()

    monkeypatch.setattr("meshproof.control.leases._RETRY", 0.0)
    mesh = Slow()
    with serve_mesh(mesh, ended):
        hold = Client.find("shop").hold("release", [("<undo>", "back")], "", 0.0)
        hold._connection.close()
        until(lambda: mesh.tries == 3)
