"""A mesh whose workloads run elsewhere: commands go there, logs are asked for, its end takes long.

``kubectl`` is a script that shows how it was called and does what comes after ``--``.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from meshproof.control.protocols import Remote
from meshproof.control.serve import serve_mesh
from meshproof.host import registry
from tests.cli.process import run_process
from tests.fakes.mesh import BINARY
from tests.fakes.remote_mesh import RemoteFakeMesh

pytestmark = pytest.mark.long


Cli = Any
Started = Any

_KUBECTL = """#!/bin/sh
echo "kubectl ${CALLERS-}" >&2
while [ "$1" != -- ]; do echo "$1" >&2; shift; done
shift; exec "$@"
"""


@pytest.fixture
def far(runtime_dir: Path, ended: threading.Event) -> Iterator[RemoteFakeMesh]:
    mesh = RemoteFakeMesh()
    with serve_mesh(mesh, ended):
        yield mesh


@pytest.fixture
def path(tmp_path: Path) -> str:
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(_KUBECTL)
    kubectl.chmod(0o755)
    return f"{tmp_path}:{os.environ['PATH']}"


def test_exec_becomes_kubectl_with_streams_and_code_untouched(
    far: RemoteFakeMesh, path: str
) -> None:
    assert isinstance(far, Remote)
    done = run_process(
        "exec", "svca", "--", "sh", "-c", "cat; exit 9", stdin=BINARY, PATH=path, CALLERS="own"
    )
    assert (done.returncode, done.stdout) == (9, BINARY)
    assert done.stderr.decode().splitlines() == ["kubectl own", "exec", "-i", "svca-0"]


def test_exec_says_when_there_is_no_kubectl(far: RemoteFakeMesh, tmp_path: Path) -> None:
    done = run_process("exec", "svca", "--", "true", PATH=str(tmp_path))
    assert (done.returncode, done.stderr) == (
        127, b"error: kubectl: No such file or directory\n",
    )  # fmt: skip


def test_logs_are_the_cluster_s_own(far: RemoteFakeMesh, cli: Cli) -> None:
    assert cli("logs", "svca").out == "svca-0 | hello\n"


def test_its_name_says_how_long_its_end_may_take(far: RemoteFakeMesh) -> None:
    assert registry.find("shop").end_limit == 0.5


def test_down_waits_as_long_as_the_mesh_says(started: Started, runtime_dir: Path) -> None:
    up = started("up", "-f", "manifests", FAKE="far, and never ends")
    assert up.stdout.readline() == "Deployment default/svca created\n"
    pid = registry.find("shop").pid
    down = started("down")
    err = down.communicate(timeout=300)[1]
    assert f"process {pid} did not end within 1 s: killed; `meshproof sweep`" in err
    assert up.wait(300) == -9
