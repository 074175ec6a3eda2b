"""A pod's other containers: init containers, and those that run beside the app."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from meshproof.embedded.context import MeshContext, last_lines
from meshproof.embedded.pod import probes
from meshproof.embedded.pod.launch import Launch
from meshproof.embedded.pod.replica_state import ReplicaState
from meshproof.embedded.pod.workload import Program
from meshproof.errors import MeshproofError
from meshproof.host.backoff import Backoff
from meshproof.host.event_loop import Background, run_all
from meshproof.host.process_spec import Exit

_POLL = 0.05
"""Seconds between two checks of a container's readiness."""


@dataclass(slots=True)
class _Companion:
    program: Program
    exit: asyncio.Future[Exit]
    ready: bool = False
    backoff: Backoff = field(default_factory=Backoff)


class CompanionContainers:
    """All containers of one replica except its app."""

    def __init__(self, context: MeshContext, state: ReplicaState, launch: Launch) -> None:
        self._context, self._state, self._launch = context, state, launch
        self.on_change: Callable[[], None] = lambda: None
        """Called when one of them ends or is ready again."""
        self._companions: dict[str, _Companion] = {}
        self._tasks = Background()
        self._init: tuple[str, asyncio.Future[Exit]] | None = None
        self._ending = False

    @property
    def reason(self) -> str:
        """Which of them keeps the pod from being ready; empty where none does."""
        down = [c.program.name for c in self._companions.values() if not c.ready]
        return f"its container {down[0]} is not ready" if down else ""

    def owns(self, process: str) -> bool:
        return process in self._companions or (self._init is not None and self._init[0] == process)

    def on_exit(self, exit_: Exit) -> None:
        if self._init is not None and self._init[0] == exit_.name:
            self._init[1].set_result(exit_)
            return
        companion = self._companions[exit_.name]
        companion.ready = False
        if not companion.exit.done():
            companion.exit.set_result(exit_)
        if not self._ending:
            self.on_change()
            self._tasks.start(self._restart(companion))

    # -- init containers -----------------------------------------------------------------------

    async def run_init_containers(self) -> None:
        """Run each to its end, one after the other. Raises MeshproofError where one fails."""
        for program in self._state.workload.init_programs:
            await self._run_init_container(program)

    async def _run_init_container(self, program: Program) -> None:
        spec = self._launch.spec(program)
        limit = self._state.workload.ready_within
        self._init = (spec.name, asyncio.get_running_loop().create_future())
        try:
            await self._context.supervisor.spawn(spec)
            async with asyncio.timeout(limit):
                code = (await asyncio.shield(self._init[1])).code
            outcome = f"ended with code {code}"
        except TimeoutError:
            code, outcome = -1, f"did not end within {limit:g} s"
            await self._context.supervisor.stop(spec.name, 0.0)
        finally:
            self._init = None
        if code != 0:
            lines = last_lines(self._context.paths.app_log(spec.name))
            raise MeshproofError(
                f"the init container {program.name} of replica {self._state.name} {outcome}; its "
                f"last lines:\n{lines}"
            )

    # -- containers beside the app -------------------------------------------------------------

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        for program in self._state.workload.companions:
            spec = self._launch.spec(program)
            self._companions[spec.name] = _Companion(program, loop.create_future())
            await self._context.supervisor.spawn(spec)

    async def wait_ready(self) -> None:
        """Raises MeshproofError where one ends first."""
        await run_all(self._wait_ready(c) for c in self._companions.values())

    async def _wait_ready(self, companion: _Companion) -> None:
        """Without a deadline: whoever waits for the replica has one."""
        name = self._launch.process(companion.program)
        probe, passed = companion.program.readiness, 0
        while passed < (probe.successes if probe else 1):
            passed = 0 if await self._check_readiness(companion.program) else passed + 1
            if companion.exit.done() and not companion.ready:
                lines = last_lines(self._context.paths.app_log(name))
                code = companion.exit.result().code
                raise MeshproofError(
                    f"container {companion.program.name} of replica {self._state.name} ended "
                    f"with code {code} before it was ready; its last lines:\n{lines}"
                )
            await asyncio.sleep(_POLL)
        companion.ready = True

    async def _check_readiness(self, program: Program) -> str:
        if probe := program.readiness:
            env = self._launch.env(program)
            address = self._launch.app_address(probe.port)
            return await probes.check(probe, address, env, self._launch.make_socket)
        for _name, port in program.ports:
            address = self._launch.app_address(port)
            if reason := await probes.check_listener(address, 1.0, self._launch.make_socket):
                return reason
        return ""

    async def _restart(self, companion: _Companion) -> None:
        """Until it is ready again; if it ends before that, ``on_exit`` starts over."""
        spec = self._launch.spec(companion.program)
        await asyncio.sleep(companion.backoff.delay(time.monotonic()))
        self._state.restarts += 1
        companion.exit = asyncio.get_running_loop().create_future()
        try:
            await self._context.supervisor.spawn(spec)
            await self._wait_ready(companion)
        except MeshproofError:
            if not companion.exit.done() and not self._ending:  # it could not even be started
                self._tasks.start(self._restart(companion))
            return
        self.on_change()

    async def stop(self, grace: float) -> None:
        self._ending = True
        self._tasks.cancel()
        supervisor = self._context.supervisor
        running = supervisor.running
        stopping = [
            supervisor.stop(name, grace)
            for name in (*self._companions, *((self._init[0],) if self._init else ()))
            if name in running
        ]
        await asyncio.gather(*stopping, return_exceptions=True)
