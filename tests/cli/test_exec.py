"""``exec``: streams, environment and exit codes as they are."""

from __future__ import annotations

import os

import pytest

from tests.cli.process import run_process
from tests.fakes.mesh import BINARY, FakeMesh


def test_exec_is_the_command_itself(fake: FakeMesh) -> None:
    script = 'cat; echo "$WORKLOAD $http_proxy ${MESHPROOF_RUN_ID-none}" >&2; exit 9'
    done = run_process("exec", "svca", "--", "sh", "-c", script, stdin=BINARY)
    assert (done.returncode, done.stdout) == (9, BINARY)
    assert done.stderr == b"svca http://127.0.0.2:15001 none\n"


def test_exec_has_the_callers_path_and_no_other_variable(fake: FakeMesh) -> None:
    done = run_process("exec", "svca", "env", PATH=os.environ["PATH"], CALLERS="own")
    names = {line.partition("=")[0] for line in done.stdout.decode().splitlines()}
    assert names == {"WORKLOAD", "http_proxy", "PATH"}
    assert f"PATH={os.environ['PATH']}".encode() in done.stdout.splitlines()


def test_exec_gives_options_to_the_command(fake: FakeMesh) -> None:
    assert run_process("exec", "svca", "echo", "-n", "--name", "x").stdout == b"--name x"


@pytest.mark.parametrize("name", [["--name", "no-such"], ["--name=no-such"]])
def test_exec_takes_the_mesh_s_name_after_the_workload(fake: FakeMesh, name: list[str]) -> None:
    done = run_process("exec", "svca", *name, "--", "true")
    assert done.returncode != 0
    assert b"no-such" in done.stderr


def test_exec_does_not_take_a_name_for_the_command(fake: FakeMesh) -> None:
    for arguments in (["--name"], ["--name", "x"], ["--name=x", "--"]):
        done = run_process("exec", "svca", *arguments)
        assert (done.returncode, done.stdout) == (2, b"")


@pytest.mark.parametrize(
    ("command", "code", "message"),
    [
        ("no-such-program", 127, b"error: no-such-program: No such file or directory\n"),
        ("/etc/passwd", 126, b"error: /etc/passwd: Permission denied\n"),
    ],
)
def test_exec_fails_as_a_shell_does(
    fake: FakeMesh, command: str, code: int, message: bytes
) -> None:
    done = run_process("exec", "svca", "--", command)
    assert (done.returncode, done.stderr) == (code, message)
