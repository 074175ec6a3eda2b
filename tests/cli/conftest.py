"""The command line against a fake mesh: in this process where that is enough, else in its own."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from meshproof.cli.main import main
from meshproof.control.routes.cluster import SupportsCluster
from meshproof.control.serve import serve_mesh
from tests.fakes.remote_mesh import ClusterFakeMesh
from tests.fakes.served_mesh import ended, fake

__all__ = ["ended", "fake"]
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Result:
    code: int
    out: str
    err: str


Cli = Callable[..., Result]


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Cli:
    """Run one command line of the mesh ``shop`` in this process."""
    monkeypatch.setenv("MESHPROOF_NAME", "shop")

    def run(*argv: str, stdin: bytes = b"") -> Result:
        monkeypatch.setattr(sys, "argv", ["meshproof", *argv])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as end:
            main()
        output = capfd.readouterr()
        assert isinstance(end.value.code, int)
        return Result(end.value.code, output.out, output.err)

    return run


Started = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def started(runtime_dir: Path) -> Iterator[Started]:
    """Start the command line, its meshes faked, in a session of its own; all end with the test."""
    processes: list[subprocess.Popen[str]] = []

    def start(*argv: str, **env: str) -> subprocess.Popen[str]:
        processes.append(
            subprocess.Popen(
                [sys.executable, str(ROOT / "tests/fakes/cli.py"), *argv],
                env={**os.environ, "PYTHONPATH": str(ROOT), "MESHPROOF_NAME": "shop", **env},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        )
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules" / "deeper").mkdir(parents=True)
    for name in ("rules/b.yaml", "rules/a.yml", "rules/no.txt", "rules/deeper/c.yaml"):
        (tmp_path / name).write_text(f"text of {name}")
    return tmp_path


@pytest.fixture
def cluster_fake(
    runtime_dir: Path, ended: threading.Event, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ClusterFakeMesh]:
    monkeypatch.chdir(tmp_path)  # reports are left there
    (tmp_path / "meshproof.yaml").write_text("manifests: [k8s]\npath: /pay\n")
    mesh = ClusterFakeMesh()
    assert isinstance(mesh, SupportsCluster)
    with serve_mesh(mesh, ended):
        yield mesh
