"""What the tests of processes share: a supervised run, and a way to wait for its events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from meshproof.host import process_identity, processes, run_folder
from meshproof.host.pod_support import PodsUnavailable
from meshproof.host.pods import Pods
from meshproof.host.process_spec import Exit, ProcessSpec
from meshproof.host.supervisor_client import SupervisorClient
from meshproof.wait import until_async

DEADLINE = 300.0
"""Seconds after which a condition is taken for never; a loaded machine is slow, not broken."""


class Run:
    """One supervisor in this process's event loop, with what it reported."""

    def __init__(self, folder: Path, run_id: str) -> None:
        self.folder = folder
        self.run_id = run_id
        self.supervisor = SupervisorClient()
        self.exits: list[Exit] = []
        self.lost = 0

    async def start(self) -> None:
        await self.supervisor.start(self.run_id, self.folder, self.exits.append, self._on_lost)

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

    def remains(self) -> list[processes.MarkedProcess]:
        return processes.find_run(self.run_id)

    async def wait(self, check: Callable[[], object], what: str) -> None:
        async def reason() -> str:
            return "" if check() else "not yet"

        await until_async(reason, f"waiting until {what}", within=DEADLINE, every=0.01)


Script = Callable[[Run], Coroutine[Any, Any, None]]


@pytest.fixture
def supervised(runtime_dir: Path) -> Callable[[Script], Run]:
    """Run a coroutine with a started supervisor, close it, and check that nothing stays."""

    def run(script: Script) -> Run:
        run_id = process_identity.new_run_id()
        run = Run(run_folder.create(run_id), run_id)

        async def body() -> None:
            await run.start()
            try:
                await script(run)
            finally:
                await run.supervisor.close(5.0)

        asyncio.run(body())
        assert run.remains() == []
        assert not run.folder.exists()
        return run

    return run


A, B = "127.16.1.1", "127.16.1.2"
"""The addresses of pods ``a`` and ``b``."""
PodScript = Callable[[Run, Pods], Coroutine[Any, Any, None]]


@pytest.fixture
def in_pods(supervised: Callable[[Script], Run]) -> Callable[[PodScript], Run]:
    """Run a coroutine with a supervisor whose pods ``a`` and ``b`` exist."""

    def run(script: PodScript) -> Run:
        async def body(run: Run) -> None:
            pods = Pods(run.supervisor)
            try:
                await pods.open()
            except PodsUnavailable as error:
                pytest.skip(f"no pods on this machine: {error}")
            await pods.add("a", A, "a-0", {})
            await pods.add("b", B, "b-0", {})
            await script(run, pods)

        return supervised(body)

    return run


async def output(run: Run, name: str, *argv: str, **more: Any) -> str:
    """What a process has written once it has ended."""
    await run.supervisor.spawn(run.spec(name, *argv, **more))
    await run.wait(lambda: any(e.name == name for e in run.exits), f"{name} has ended")
    return run.log(name)
