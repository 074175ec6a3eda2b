"""A pod's containers before and beside its app: init containers, and those that run along."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from meshproof.embedded.context import last_lines
from meshproof.embedded.pod import probes
from meshproof.embedded.pod.workload import Program
from meshproof.errors import MeshproofError
from meshproof.host.backoff import Backoff
from meshproof.host.event_loop import Background, run_all
from meshproof.host.process_spec import Exit

if TYPE_CHECKING:
    from meshproof.embedded.pod.replica import ReplicaRunner

_ROUND = 0.05
"""Seconds between two questions whether one is ready."""


@dataclass(slots=True)
class _Companion:
    program: Program
    exit: asyncio.Future[Exit]
    ready: bool = False
    backoff: Backoff = field(default_factory=Backoff)


class CompanionContainers:
    """Of one replica. ``on_change`` is called when one of them ends or is back."""

    def __init__(self, runner: ReplicaRunner, on_change: Callable[[], None]) -> None:
        self._runner, self._on_change = runner, on_change
        self._companions: dict[str, _Companion] = {}
        self._tasks = Background()
        self._init: tuple[str, asyncio.Future[Exit]] | None = None
        self._ending = False

    @property
    def reason(self) -> str:
        """Why the pod is not ready, as far as these are concerned; empty where it may be."""
        down = [c.program.name for c in self._companions.values() if not c.ready]
        return f"its container {down[0]} is not ready" if down else ""

    def owns(self, process: str) -> bool:
        return process in self._companions or (self._init is not None and self._init[0] == process)

    def exited(self, exit_: Exit) -> None:
        """The supervisor's word that one of them ended."""
        if self._init is not None and self._init[0] == exit_.name:
            self._init[1].set_result(exit_)
            return
        companion = self._companions[exit_.name]
        companion.ready = False
        if not companion.exit.done():
            companion.exit.set_result(exit_)
        if not self._ending:
            self._on_change()
            self._tasks.start(self._again(companion))

    # -- before the app ------------------------------------------------------------------------

    async def initialise(self) -> None:
        """Run the init containers, each to its end. Raises MeshproofError where one fails."""
        for program in self._runner.workload.before:
            await self._initialise(program)

    async def _initialise(self, program: Program) -> None:
        runner = self._runner
        spec = runner.launching.spec(runner.workload, program)
        limit = runner.workload.ready_within
        self._init = (spec.name, asyncio.get_running_loop().create_future())
        try:
            await runner.runtime.supervisor.spawn(spec)
            async with asyncio.timeout(limit):
                code = (await asyncio.shield(self._init[1])).code
            said = f"ended with code {code}"
        except TimeoutError:
            code, said = -1, f"did not end within {limit:g} s"
            await runner.runtime.supervisor.stop(spec.name, 0.0)
        finally:
            self._init = None
        if code != 0:
            lines = last_lines(runner.runtime.files.app_log(spec.name))
            raise MeshproofError(
                f"the init container {program.name} of replica {runner.name} {said}; its last "
                f"lines:\n{lines}"
            )

    # -- beside the app ------------------------------------------------------------------------

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        for program in self._runner.workload.beside:
            spec = self._runner.launching.spec(self._runner.workload, program)
            self._companions[spec.name] = _Companion(program, loop.create_future())
            await self._runner.runtime.supervisor.spawn(spec)

    async def until_ready(self) -> None:
        """Raises MeshproofError for one that ends instead."""
        await run_all(self._until_ready(c) for c in self._companions.values())

    async def _until_ready(self, companion: _Companion) -> None:
        name = self._runner.launching.process(self._runner.workload, companion.program)
        while await self._not_ready(companion.program):
            if companion.exit.done() and not companion.ready:
                lines = last_lines(self._runner.runtime.files.app_log(name))
                code = companion.exit.result().code
                raise MeshproofError(
                    f"container {companion.program.name} of replica {self._runner.name} ended "
                    f"with code {code} before it was ready; its last lines:\n{lines}"
                )
            await asyncio.sleep(_ROUND)  # a probe can only be asked again
        companion.ready = True

    async def _not_ready(self, program: Program) -> str:
        runner = self._runner
        if probe := program.readiness:
            env = runner.launching.env(runner.workload, program)
            return await probes.check(probe, runner.app_address(probe.port), env)
        for _name, port in program.ports:
            if reason := await probes.accepts(runner.app_address(port), 1.0):
                return reason
        return ""

    async def _again(self, companion: _Companion) -> None:
        """Until it is ready once more; if it ends before, ``exited`` begins anew."""
        runner = self._runner
        spec = runner.launching.spec(runner.workload, companion.program)
        await asyncio.sleep(companion.backoff.delay(time.monotonic()))
        runner.restarts += 1
        companion.exit = asyncio.get_running_loop().create_future()
        try:
            await runner.runtime.supervisor.spawn(spec)
            await self._until_ready(companion)
        except MeshproofError:
            if not companion.exit.done() and not self._ending:  # it could not even be started
                self._tasks.start(self._again(companion))
            return
        self._on_change()

    async def stop(self, grace: float) -> None:
        self._ending = True
        self._tasks.cancel()
        running = self._runner.runtime.supervisor.running
        stopping = [
            self._runner.runtime.supervisor.stop(name, grace)
            for name in (*self._companions, *((self._init[0],) if self._init else ()))
            if name in running
        ]
        await asyncio.gather(*stopping, return_exceptions=True)
