"""The command line against a fake mesh: in this process where that is enough, else in its own."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from meshproof.cli.main import main
from tests.control.conftest import ended, fake

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
        said = capfd.readouterr()
        assert isinstance(end.value.code, int)
        return Result(end.value.code, said.out, said.err)

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
