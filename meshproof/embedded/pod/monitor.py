"""What happens to a replica once it is ready: probes at their period, restarts when it ends.

As the kubelet does: readiness takes it out of service and puts it back, a failed liveness probe
or an end of its process starts the app again, an Envoy that ends is started again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from meshproof.errors import MeshproofError
from meshproof.host.backoff import Backoff
from meshproof.host.event_loop import Background
from meshproof.host.process_spec import Exit

if TYPE_CHECKING:
    from meshproof.embedded.pod.replica import ReplicaRunner


class Monitor:
    """Of one replica, from ``begin`` to ``end``. ``on_change`` is called when its readiness
    changes; it must not block."""

    def __init__(self, runner: ReplicaRunner, on_change: Callable[[], None]) -> None:
        self._runner, self._on_change = runner, on_change
        self._tasks = Background()
        self._watching = False
        self._sidecar_up = False
        self._app_backoff, self._sidecar_backoff = Backoff(), Backoff()

    def begin(self) -> None:
        """App and sidecar are ready, and are to be kept so."""
        self._watching, self._sidecar_up = True, True
        self._tasks.start(self._readiness())
        self._tasks.start(self._liveness())
        if not self._runner.app_runs:  # it ended while its sidecar was still starting
            self._app_ended()

    def end(self) -> None:
        """Whatever ends from now on stays ended."""
        self._watching = False
        self._tasks.cancel()

    def exited(self, exit_: Exit) -> None:
        """The supervisor's word that the app or the Envoy ended."""
        runner = self._runner
        if exit_.name == runner.envoy.process:
            runner.envoy.exited()
            if self._watching and self._sidecar_up:
                self._sidecar_down("its Envoy ended; restarting")
                self._tasks.start(self._restart_envoy())
            return
        if runner.exit is not None and not runner.exit.done():
            runner.exit.set_result(exit_)
        if self._watching:
            self._app_ended()

    def sidecar_paused(self) -> None:
        """It answers nothing: no endpoint, and nobody waits for its word, until it is resumed."""
        if self._watching and self._sidecar_up:
            self._runner.envoy.client.pause()
            self._sidecar_down("its Envoy is paused")

    def sidecar_resumed(self) -> None:
        client = self._runner.envoy.client
        if self._watching and client.paused:
            client.resume()
            self._tasks.start(self._back_from_pause())

    # -- changes of readiness ------------------------------------------------------------------

    def _set(self, ready: bool, reason: str) -> None:
        self._runner.reason = reason
        if ready != self._runner.ready:
            self._runner.ready = ready
            self._on_change()

    def _app_ended(self) -> None:
        assert self._runner.exit is not None, "it was started"
        self._set(False, f"its app ended ({self._runner.exit.result().code}); restarting")
        self._tasks.start(self._restart_app())

    def _sidecar_down(self, reason: str) -> None:
        self._sidecar_up = False
        self._set(False, reason)

    async def _back(self) -> None:
        """Whichever of app and sidecar comes back last makes the replica ready."""
        runner = self._runner
        if runner.app_runs and await runner.app_ready() and self._sidecar_up:
            self._set(not runner.beside.reason, runner.beside.reason)

    def beside_changed(self) -> None:
        """A container beside the app ended, or is back."""
        if not self._watching:
            return
        if reason := self._runner.beside.reason:
            self._set(False, reason)
        else:
            self._tasks.start(self._back())

    # -- probes --------------------------------------------------------------------------------

    async def _readiness(self) -> None:
        probe = self._runner.workload.readiness
        if probe is None:
            return
        failed = 0
        while True:
            await asyncio.sleep(probe.period if not failed else min(probe.period, 1.0))
            if not self._runner.app_runs or not self._runner.passed_startup:
                failed = 0  # a start is under way, which asks by itself
                continue
            reason = await self._runner.ask(probe)
            failed = failed + 1 if reason else 0
            known = failed >= probe.failures or not failed
            if known and self._sidecar_up and self._runner.app_runs:
                reason = reason or self._runner.beside.reason
                self._set(not reason, reason)

    async def _liveness(self) -> None:
        probe = self._runner.workload.liveness
        if probe is None:
            return
        failed = 0
        while True:
            await asyncio.sleep(probe.period)
            runner = self._runner
            if not runner.app_runs or not runner.passed_startup or runner.paused:
                failed = 0
                continue
            failed = failed + 1 if await runner.ask(probe) else 0
            if failed >= probe.failures:
                failed = 0
                self._set(False, "liveness probe failed; restarting")
                with contextlib.suppress(MeshproofError):  # it has ended meanwhile
                    await runner.runtime.supervisor.stop(runner.name, runner.workload.grace)

    # -- restarts ------------------------------------------------------------------------------

    async def _wait(self, backoff: Backoff) -> None:
        self._runner.restarts += 1
        await asyncio.sleep(backoff.delay(asyncio.get_running_loop().time()))

    async def _restart_app(self) -> None:
        while True:
            await self._wait(self._app_backoff)
            try:
                await self._runner.start_app()
            except (MeshproofError, OSError) as error:
                self._runner.reason = str(error)
                continue
            return await self._back()

    async def _restart_envoy(self) -> None:
        envoy = self._runner.envoy
        while True:
            await self._wait(self._sidecar_backoff)
            try:
                await envoy.start()
                await envoy.ready()
            except (MeshproofError, OSError) as error:
                self._runner.reason = str(error)
                await envoy.end_process()  # it may hang rather than have ended
                continue
            self._sidecar_up = True
            return await self._back()

    async def _back_from_pause(self) -> None:
        await self._runner.envoy.client.wait_current()
        if not self._runner.envoy.client.paused:
            self._sidecar_up = True
            await self._back()
