"""Watches a replica once it is ready: runs its probes, and restarts what ends.

As the kubelet does: readiness takes it out of service and puts it back; a failed liveness probe, or
the end of its process, restarts the app; an Envoy that ends is restarted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from meshproof.embedded.pod.app_process import AppProcess
from meshproof.embedded.pod.companion_containers import CompanionContainers
from meshproof.embedded.pod.envoy_process import EnvoyProcess
from meshproof.embedded.pod.probe_streak import ProbeStreak
from meshproof.embedded.pod.replica_state import ReplicaState
from meshproof.errors import MeshproofError
from meshproof.host.backoff import Backoff
from meshproof.host.event_loop import Background


class Monitor:
    """Monitors one replica from ``begin`` to ``end``. ``on_change`` is called when its readiness
    changes; it must not block."""

    def __init__(
        self,
        state: ReplicaState,
        app: AppProcess,
        envoy: EnvoyProcess,
        companions: CompanionContainers,
        on_change: Callable[[], None],
    ) -> None:
        self._state, self._app, self._envoy, self._companions = state, app, envoy, companions
        self._on_change = on_change
        companions.on_change = self._on_companion_change
        self._tasks = Background()
        self._active = False
        self._sidecar_up = False
        self._app_backoff, self._sidecar_backoff = Backoff(), Backoff()

    def begin(self) -> None:
        """App and sidecar are ready, and are to be kept so."""
        self._active, self._sidecar_up = True, True
        self._tasks.start(self._run_readiness_probe())
        self._tasks.start(self._run_liveness_probe())
        if not self._app.running:  # it ended while its sidecar was still starting
            self.on_app_exit()

    def end(self) -> None:
        """What ends from now on is not restarted."""
        self._active = False
        self._tasks.cancel()

    # -- events --------------------------------------------------------------------------------

    def on_app_exit(self) -> None:
        if self._active:
            assert self._app.exit is not None, "it was started"
            self._set_ready(False, f"its app ended ({self._app.exit.result().code}); restarting")
            self._tasks.start(self._restart_app())

    def on_envoy_exit(self) -> None:
        if self._active and self._sidecar_up:
            self._sidecar_down("its Envoy ended; restarting")
            self._tasks.start(self._restart_envoy())

    def on_envoy_pause(self) -> None:
        """It answers nothing: until it is resumed it is no endpoint, and its acknowledgement is not
        waited for."""
        if self._active and self._sidecar_up:
            self._envoy.client.pause()
            self._sidecar_down("its Envoy is paused")

    def on_envoy_resume(self) -> None:
        if self._active and self._envoy.client.paused:
            self._envoy.client.resume()
            self._tasks.start(self._recover_from_pause())

    def _on_companion_change(self) -> None:
        """A container beside the app ended, or is ready again."""
        if not self._active:
            return
        if reason := self._companions.reason:
            self._set_ready(False, reason)
        else:
            self._tasks.start(self._recover())

    # -- changes of readiness ------------------------------------------------------------------

    def _set_ready(self, ready: bool, reason: str) -> None:
        self._state.reason = reason
        if ready != self._state.ready:
            self._state.ready = ready
            self._on_change()

    def _sidecar_down(self, reason: str) -> None:
        self._sidecar_up = False
        self._set_ready(False, reason)

    async def _recover(self) -> None:
        """Whichever of app and sidecar comes back last makes the replica ready."""
        if self._app.running and await self._app.wait_ready() and self._sidecar_up:
            self._set_ready(not self._companions.reason, self._companions.reason)

    # -- probes --------------------------------------------------------------------------------

    async def _run_readiness_probe(self) -> None:
        probe = self._state.workload.readiness
        if probe is None:
            return
        streak, failed = ProbeStreak(probe.failures, probe.successes), False
        while True:
            await asyncio.sleep(min(probe.period, 1.0) if failed else probe.period)
            if not self._app.running or not self._app.passed_startup:
                streak.clear()  # the app is starting, and checks its readiness itself
                continue
            reason = await self._app.check(probe)
            failed = bool(reason)
            decided = streak.decide(failed=failed) is not None
            if decided and self._sidecar_up and self._app.running:
                reason = reason or self._companions.reason
                self._set_ready(not reason, reason)

    async def _run_liveness_probe(self) -> None:
        probe = self._state.workload.liveness
        if probe is None:
            return
        failures = 0
        while True:
            await asyncio.sleep(probe.period)
            if not self._app.running or not self._app.passed_startup or self._app.paused:
                failures = 0
                continue
            failures = failures + 1 if await self._app.check(probe) else 0
            if failures >= probe.failures:
                failures = 0
                self._set_ready(False, "liveness probe failed; restarting")
                await self._app.stop(self._state.workload.grace)

    # -- restarts ------------------------------------------------------------------------------

    async def _back_off(self, backoff: Backoff) -> None:
        self._state.restarts += 1
        await asyncio.sleep(backoff.delay(asyncio.get_running_loop().time()))

    async def _restart_app(self) -> None:
        while True:
            await self._back_off(self._app_backoff)
            try:
                await self._app.start()
            except (MeshproofError, OSError) as error:
                self._state.reason = str(error)
                continue
            return await self._recover()

    async def _restart_envoy(self) -> None:
        while True:
            await self._back_off(self._sidecar_backoff)
            try:
                await self._envoy.start()
                await self._envoy.wait_ready()
            except (MeshproofError, OSError) as error:
                self._state.reason = str(error)
                await self._envoy.end_process()  # it may hang rather than have ended
                continue
            self._sidecar_up = True
            return await self._recover()

    async def _recover_from_pause(self) -> None:
        await self._envoy.client.wait_current()
        if not self._envoy.client.paused:
            self._sidecar_up = True
            await self._recover()
