"""What the tests of processes share: a run of their own, and ways to wait for facts about it."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from meshproof.embedded import procfs, run_folder
from meshproof.embedded.processes import Processes
from meshproof.embedded.spec import Exit, ProcessSpec

DEADLINE = 20.0
"""Seconds after which a condition is taken for never; a loaded machine is slow, not broken."""


@pytest.fixture
def until() -> Callable[[Callable[[], object], str], None]:
    """Wait until a check is true, and fail naming what was waited for when it never is."""

    def wait(check: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + DEADLINE
        while not check():
            assert time.monotonic() < deadline, f"never: {what}"
            time.sleep(0.01)

    return wait


class Run:
    """One supervisor in this process's event loop, with what it reported."""

    def __init__(self, folder: Path, run_id: str) -> None:
        self.folder = folder
        self.run_id = run_id
        self.processes = Processes()
        self.exits: list[Exit] = []
        self.lost = 0

    async def start(self) -> None:
        await self.processes.start(self.run_id, self.folder, self.exits.append, self._on_lost)

    def _on_lost(self) -> None:
        self.lost += 1

    def spec(self, name: str, *argv: str, **more: Any) -> ProcessSpec:
        spec: dict[str, Any] = {
            "name": name,
            "argv": argv,
            "env": {"PATH": "/usr/bin:/bin"},
            "cwd": "/",
            "log": str(self.folder / f"{name}.log"),
        }
        return ProcessSpec(**{**spec, **more})

    def log(self, name: str) -> str:
        path = self.folder / f"{name}.log"
        return path.read_text() if path.exists() else ""

    def remains(self) -> list[procfs.Marked]:
        return [process for process in procfs.marked() if process.run_id == self.run_id]

    async def wait(self, check: Callable[[], object], what: str) -> None:
        async with asyncio.timeout(DEADLINE):
            while not check():
                await asyncio.sleep(0.01)
        assert check(), what


@pytest.fixture
def runtime_dir(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An XDG_RUNTIME_DIR of the test's own, short enough for socket paths."""
    folder = Path(tempfile.mkdtemp(prefix="mp-"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    monkeypatch.setenv("MESHPROOF_STATE", str(folder / "state"))
    yield folder
    shutil.rmtree(folder)


Script = Callable[[Run], Coroutine[Any, Any, None]]


@pytest.fixture
def supervised(runtime_dir: Path) -> Callable[[Script], Run]:
    """Run a coroutine with a started supervisor, close it, and check that nothing stays."""

    def run(script: Script) -> Run:
        run_id = procfs.new_run_id()
        run = Run(run_folder.create(run_id), run_id)

        async def body() -> None:
            await run.start()
            try:
                await script(run)
            finally:
                await run.processes.close(5.0)

        asyncio.run(body())
        assert run.remains() == []
        assert not run.folder.exists()
        return run

    return run
