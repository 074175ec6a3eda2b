"""The app of one replica: its process, its probes, and when it is ready."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from meshproof.embedded.context import MeshContext, last_lines
from meshproof.embedded.pod import probes
from meshproof.embedded.pod.launch import Launch
from meshproof.embedded.pod.replica_state import ReplicaState
from meshproof.embedded.pod.workload import Probe
from meshproof.errors import MeshproofError
from meshproof.host import enter_pod, private_files
from meshproof.host.process_identity import RUN_ID_VARIABLE
from meshproof.host.process_spec import Exit
from meshproof.model import volume_files
from meshproof.progress import report_progress
from meshproof.translate.world import Address

_EAGER, _FAST, _CALM = 5.0, 0.02, 0.5
"""Until its first success a probe runs every ``_FAST`` seconds, and every ``_CALM`` once ``_EAGER``
seconds are over; then at its own period."""
_ALL_PORTS = 2.0
"""Seconds that the other ports of an app are waited for once one of them is open."""


class AppProcess:
    """The app's process, which may be restarted; ``exit`` belongs to the current one."""

    def __init__(self, context: MeshContext, state: ReplicaState, launch: Launch) -> None:
        self._context, self._state, self._launch = context, state, launch
        self.exit: asyncio.Future[Exit] | None = None
        """Pending while the process runs; None before the first start."""
        self.passed_startup = False
        self.paused = False
        """Stopped by a fault: probes are expected to fail."""
        self._first_open: float | None = None
        self._successes = 0
        """Of the readiness probe in a row, since the app was started."""
        self._commands = 0

    async def start(self) -> None:
        """Start the process, the first time or again."""
        self.exit, self.passed_startup = asyncio.get_running_loop().create_future(), False
        self._successes = 0
        self._launch.remove_socket()
        await self._context.supervisor.spawn(self._launch.spec(self._state.workload.program))

    def on_exit(self, exit_: Exit) -> None:
        if self.exit is not None and not self.exit.done():
            self.exit.set_result(exit_)

    @property
    def running(self) -> bool:
        return self.exit is not None and not self.exit.done()

    async def stop(self, grace: float) -> None:
        """SIGTERM, then SIGKILL after ``grace`` seconds."""
        with contextlib.suppress(MeshproofError):  # it may have ended by itself
            await self._context.supervisor.stop(self._state.name, grace)

    def last_lines(self) -> str:
        """The end of its log."""
        return last_lines(self._context.paths.app_log(self._state.name))

    def env(self) -> dict[str, str]:
        """Its whole environment."""
        return self._launch.env(self._state.workload.program)

    def command_prefix(self) -> tuple[str, ...]:
        """What to put before a command so that it runs in the pod with the app's environment;
        empty where there is no pod. Raises MeshproofError while the app does not run."""
        if self._launch.make_socket is None:
            return ()
        pid = self._context.supervisor.running.get(self._state.name)
        if pid is None:
            raise MeshproofError(f"{self._state.name}: its app does not run")
        path = self._context.paths.environment(self._state.name)
        # Such a command is the caller's, not the mesh's: it is not ended with the mesh.
        env = {k: v for k, v in self.env().items() if k != RUN_ID_VARIABLE}
        private_files.write(path, json.dumps(env))
        return (sys.executable, "-I", "-S", enter_pod.__file__, str(pid), str(path))

    # -- readiness -----------------------------------------------------------------------------

    async def wait_ready(self) -> bool:
        """Return True as soon as the app is ready, False as soon as its process has ended."""
        assert self.exit is not None, "it was started"
        polling = asyncio.create_task(self._poll_readiness())
        try:
            either: set[asyncio.Future[Any]] = {polling, self.exit}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if polling.done():
                polling.result()
            return self.running
        finally:
            polling.cancel()
            await asyncio.wait({polling})

    async def _poll_readiness(self) -> None:
        """Without a deadline: whoever waits for readiness has one."""
        loop = asyncio.get_running_loop()
        calm_at = loop.time() + _EAGER
        while reason := await self._check_readiness():
            if reason != self._state.reason:
                report_progress(f"{self._state.name} is not ready: {reason}")
            self._state.reason = reason
            await asyncio.sleep(_FAST if loop.time() < calm_at else _CALM)

    async def _check_readiness(self) -> str:
        workload = self._state.workload
        startup = None if self.passed_startup else workload.startup
        if startup is not None and (reason := await self.check(startup)):
            return reason
        self.passed_startup = True
        if workload.readiness is not None:
            return await self._check_readiness_probe(workload.readiness)
        return await self._check_ports()

    async def _check_readiness_probe(self, probe: Probe) -> str:
        reason = await self.check(probe)
        self._successes = 0 if reason else self._successes + 1
        if reason or self._successes >= probe.successes:
            return reason
        return f"its readiness probe succeeded {self._successes} of {probe.successes} times"

    async def _check_ports(self) -> str:
        """Without a probe the app is ready as soon as every declared port is open, or one of them
        for some time. Kubernetes would call it ready at once, and not every declared port is
        served."""
        ports = self._state.workload.program.ports
        results = [
            await probes.check_listener(
                self._launch.app_address(port), 1.0, self._launch.make_socket
            )
            for _, port in ports
        ]
        closed = [reason for reason in results if reason]
        if len(closed) == len(ports):
            self._first_open = None
            return closed[0] if closed else ""
        now = asyncio.get_running_loop().time()
        self._first_open = self._first_open or now
        return closed[0] if closed and now - self._first_open < _ALL_PORTS else ""

    async def check(self, probe: Probe) -> str:
        """Run a probe once. Empty when it succeeds, else why not."""
        if probe.kind != "exec":
            address = self._launch.app_address(probe.port)
            return await probes.check(probe, address, {}, self._launch.make_socket)
        program = self._state.workload.program
        relocate = volume_files.path_relocator(program.mounts, self._launch.root(program))
        command = tuple(map(relocate, probe.command))
        if self._launch.make_socket is not None:
            return await self._check_in_pod(command, probe.timeout)
        return await probes.check(replace(probe, command=command), Address(), self.env())

    async def _check_in_pod(self, command: Sequence[str], timeout: float) -> str:
        """Run a probe's command in the pod."""
        self._commands += 1
        name = f"{self._state.name}.probe-{self._commands}"
        spec = self._launch.command_spec(name, command, self.env())
        try:
            code = await self._context.supervisor.run(spec, timeout)
        except TimeoutError:
            return f"no answer within {timeout:g} s"
        except MeshproofError as error:
            return str(error)
        return "" if code == 0 else f"{command[0]} ended with {code}"
