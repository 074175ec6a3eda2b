"""A page's shell: what stays from command to command, and that nothing stays after it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from meshproof.host import process_identity
from tests.fakes.until import until
from tools.doc_runner.session import Ran, Session, SessionError

ROOT = Path(__file__).parents[3]


def test_one_shell_for_all_commands(tmp_path: Path) -> None:
    (tmp_path / "deeper").mkdir()
    with Session(tmp_path) as session:
        assert session.run("word=mesh; f() { echo f $1; }; cd deeper") == Ran(0, "")
        assert session.run("echo $word; f x; pwd") == Ran(0, f"mesh\nf x\n{tmp_path}/deeper\n")
        assert session.run("echo out; echo err >&2; false") == Ran(1, "out\nerr\n")
        assert session.run("cat; printf 'no newline'") == Ran(0, "no newline")
        assert session.run("if").code == 2
        assert session.run("printf '\\036\\377'") == Ran(0, "\x1e\N{REPLACEMENT CHARACTER}")


def test_its_meshproof_and_its_meshes_are_its_own(tmp_path: Path) -> None:
    with Session(tmp_path, environment={"WORD": "given"}) as session:
        ran = session.run("meshproof ls")
        assert ran == Ran(2, "error: no mesh named meshproof is running; start one: meshproof up\n")
        state, tmp, word = session.run("echo $MESHPROOF_STATE; mktemp; echo $WORD").output.split()
        assert word == "given"
        folder = Path(tmp).parents[1]
        assert Path(state).parent == folder
    assert not folder.exists()


def test_output_is_shown_as_it_comes(tmp_path: Path) -> None:
    lines: list[str] = []

    def show(text: str) -> None:
        lines.append(text)
        if "ready" in text:
            (tmp_path / "go").touch()

    with Session(tmp_path) as session:
        ran = session.run("echo ready; until [ -e go ]; do sleep 0.01; done; echo on", show=show)
    assert (ran, "".join(lines)) == (Ran(0, "ready\non\n"), "ready\non\n")


def test_a_command_that_ends_the_shell_is_told(tmp_path: Path) -> None:
    with Session(tmp_path) as session, pytest.raises(SessionError, match="shell ended: exit 3"):
        session.run("exit 3")


def test_a_command_that_hangs_is_ended_with_the_session(tmp_path: Path) -> None:
    with Session(tmp_path) as session:
        session.run("echo $BASHPID > pid")  # the shell has started, however busy the machine is
        with pytest.raises(SessionError, match=r"did not end within 0\.5 s"):
            session.run("sleep 1000", within=0.5)
    pid = int((tmp_path / "pid").read_text())
    assert process_identity.start_time(pid) is None


def test_nothing_stays_when_the_walker_is_killed(tmp_path: Path) -> None:
    program = (
        "from pathlib import Path; from tools.doc_runner.session import Session\n"
        f"with Session(Path({str(tmp_path)!r})) as session:\n"
        "    session.run('echo $MESHPROOF_STATE > state; echo $BASHPID > pid; sleep 1000')"
    )
    walker = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT)
    try:
        until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text(), "it runs")
    finally:
        os.kill(walker.pid, signal.SIGKILL)
        walker.wait()
    pid, state = int((tmp_path / "pid").read_text()), Path((tmp_path / "state").read_text().strip())
    until(lambda: process_identity.start_time(pid) is None, "the shell has ended")
    until(lambda: not state.parent.exists(), "its folder is gone")
