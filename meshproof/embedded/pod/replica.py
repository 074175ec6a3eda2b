"""One replica: an app and its sidecar, started together, watched, restarted, ended in order."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from meshproof.embedded.config import draining
from meshproof.embedded.context import MeshContext, last_lines
from meshproof.embedded.pod import probes
from meshproof.embedded.pod.companion_containers import CompanionContainers
from meshproof.embedded.pod.envoy_process import EnvoyProcess
from meshproof.embedded.pod.launch import Launch
from meshproof.embedded.pod.monitor import Monitor
from meshproof.embedded.pod.workload import Probe, Workload
from meshproof.embedded.telemetry import scraping
from meshproof.errors import MeshproofError
from meshproof.host.addresses import real_port
from meshproof.host.event_loop import run_all
from meshproof.host.process_spec import Exit
from meshproof.model import volume_files
from meshproof.progress import report_progress
from meshproof.translate.world import Address, ContainerPort, Replica

_EAGER, _FAST, _CALM = 5.0, 0.02, 0.5
"""Until the first success a probe is asked every ``_FAST`` seconds, and every ``_CALM`` once
``_EAGER`` seconds are over; then at its own period."""
_ALL_PORTS = 2.0
"""Seconds that the other ports of an app are waited for once one of them is open."""
_DRAIN_LIMIT, _IDLE_LIMIT = 5.0, 1.0
"""Seconds that requests in flight, and connections without one, are waited for."""
_COUNT_LIMIT = 1.0
_LOOK_EVERY, _QUIET_LOOKS = 0.02, 3


class ReplicaRunner:
    """``on_change`` is called when readiness changes; it must not block."""

    def __init__(
        self,
        runtime: MeshContext,
        workload: Workload,
        name: str,
        on_change: Callable[[], None],
        number: int = 0,
    ) -> None:
        self.runtime, self.workload, self.name, self.number = runtime, workload, name, number
        self.slot = runtime.block.take()
        self.ip = runtime.block.sidecar(self.slot)
        self.app_ip = runtime.block.app(self.slot)
        self.launching = Launch(
            runtime, name, slot=self.slot, ips=(self.ip, self.app_ip), number=number
        )
        self.labels = self.launching.labels(workload)
        self.in_service = False
        """Whether it may be an endpoint at all: not while it is being rolled out or ended."""
        self.ready = False
        self.reason = "starting"
        self.restarts = 0
        self.paused = False
        self._listen: dict[int, Address] = {}
        self.exit: asyncio.Future[Exit] | None = None
        """How its present app process ended; no result while that runs."""
        self.passed_startup = False
        self._first_open: float | None = None
        self.ended = False
        self.watch = Monitor(self, on_change)
        self.beside = CompanionContainers(self, self.watch.beside_changed)
        self.envoy = EnvoyProcess(
            runtime,
            name,
            slot=self.slot,
            ip=self.ip,
            service=f"{workload.app}.{workload.namespace}",
            metadata={
                "NAMESPACE": workload.namespace,
                "WORKLOAD_NAME": workload.name,
                "LABELS": dict(workload.labels),
            },
        )

    # -- as the translator sees it -------------------------------------------------------------

    def replica(self, target_ports: Iterable[int]) -> Replica:
        """``target_ports`` are those that Services name beyond the container's own."""
        names = {number: name for name, number in self.workload.ports}
        numbers = sorted({*names, *target_ports})
        return Replica(
            name=self.name,
            namespace=self.workload.namespace,
            workload=self.workload.name,
            labels=self.labels,
            service_account=self.workload.service_account,
            ip=self.ip,
            ports=tuple(
                ContainerPort(names.get(n, ""), n, self._listen_at(n), self.app_address(n))
                for n in numbers
            ),
            ready=self.ready and self.in_service,
        )

    def _listen_at(self, port: int) -> Address:
        if port not in self._listen:
            self._listen[port] = Address(ip=self.ip, port=real_port(self.ip, port))
        return self._listen[port]

    def app_address(self, port: int) -> Address:
        """Where the app itself listens for a container port."""
        return self.launching.app_address(self.workload, port)

    # -- life ----------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start both processes. The sidecar's configuration must be set before."""
        self._probes_can_run()
        self.launching.lay_out(self.workload)
        if not self.workload.before:
            await run_all((self.envoy.start(), self.beside.start(), self.start_app()))
            return
        await run_all((self.envoy.start(), self.beside.start()))
        await self.envoy.ready()  # as with Istio's native sidecars: an init container has a way out
        await self.beside.initialise()
        await self.start_app()

    def _probes_can_run(self) -> None:
        """A command of the image that is not here would fail for ever; it is said at once."""
        app = self.workload
        probes = (app.readiness, app.liveness, app.startup, app.pre_stop)
        for probe in (*probes, *(program.readiness for program in app.beside)):
            if probe and probe.kind == "exec" and not shutil.which(probe.command[0]):
                raise MeshproofError(
                    f"{app.deployment.title}: a probe or hook runs {probe.command[0]}, which is "
                    "not on this machine; install it, or say `execProbes: false` for image "
                    f"{app.image} in the image table: then it is ready when it listens"
                )

    async def until_ready(self) -> None:
        """Return when sidecar and app are ready; then it is watched until ``stop``.

        Raises MeshproofError with the last lines of the process that ended or never got ready.
        """
        limit = self.workload.ready_within
        try:
            async with asyncio.timeout(limit):
                await run_all(
                    (self._app_ready_or_ended(), self.envoy.ready(), self.beside.until_ready())
                )
        except TimeoutError:
            raise MeshproofError(
                f"replica {self.name} was not ready within {limit:g} s: {self.reason}; the last "
                f"lines of its app:\n{self._last_lines()}"
            ) from None
        self.ready, self.reason = True, ""
        report_progress(f"{self.name} is ready")
        self.watch.begin()

    async def _app_ready_or_ended(self) -> None:
        if not await self.app_ready():
            assert self.exit is not None, "that is why"
            raise self._dead(self.exit.result())

    def _dead(self, exit_: Exit) -> MeshproofError:
        how = f"exit code {exit_.code}" if exit_.code >= 0 else f"signal {-exit_.code}"
        return MeshproofError(
            f"the app of replica {self.name} ended with {how} before it was ready; its last "
            f"lines:\n{self._last_lines()}"
        )

    def _last_lines(self) -> str:
        return last_lines(self.runtime.files.app_log(self.name))

    def env(self) -> dict[str, str]:
        """The whole environment of its app."""
        return self.launching.env(self.workload, self.workload.program)

    async def start_app(self) -> None:
        """Start the app's process, the first time or once more."""
        self.exit, self.passed_startup = asyncio.get_running_loop().create_future(), False
        self.runtime.files.app(self.slot).unlink(missing_ok=True)
        program = self.workload.program
        await self.runtime.supervisor.spawn(self.launching.spec(self.workload, program))

    @property
    def app_runs(self) -> bool:
        return self.exit is not None and not self.exit.done()

    async def app_ready(self) -> bool:
        """Ask until the app is ready, and return True; False as soon as its process has ended."""
        assert self.exit is not None, "it was started"
        asking = asyncio.create_task(self._until_app_ready())
        try:
            either: set[asyncio.Future[Any]] = {asking, self.exit}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if asking.done():
                asking.result()
            return self.app_runs
        finally:
            asking.cancel()
            await asyncio.wait({asking})

    async def _until_app_ready(self) -> None:
        loop = asyncio.get_running_loop()
        calm_at = loop.time() + _EAGER
        while reason := await self._ask_readiness():
            if reason != self.reason:
                report_progress(f"{self.name} is not ready: {reason}")
            self.reason = reason
            await asyncio.sleep(_FAST if loop.time() < calm_at else _CALM)

    async def _ask_readiness(self) -> str:
        startup = None if self.passed_startup else self.workload.startup
        if startup is not None and (reason := await self.ask(startup)):
            return reason
        self.passed_startup = True
        probe = self.workload.readiness
        if probe is not None:
            return await self.ask(probe)
        return await self._listens()

    async def _listens(self) -> str:
        """Without a probe: as soon as every declared port is open, or one of them for some time:
        to Kubernetes it would be ready at once, and not every port that is declared is served."""
        ports = self.workload.program.ports
        said = [await probes.accepts(self.app_address(port), 1.0) for _, port in ports]
        closed = [reason for reason in said if reason]
        if len(closed) == len(ports):
            self._first_open = None
            return closed[0] if closed else ""
        now = asyncio.get_running_loop().time()
        self._first_open = self._first_open or now
        return closed[0] if closed and now - self._first_open < _ALL_PORTS else ""

    async def ask(self, probe: Probe) -> str:
        """Ask a probe once. Empty when it succeeds, else why not."""
        if probe.kind != "exec":
            return await probes.check(probe, self.app_address(probe.port), {})
        own = volume_files.path_relocator(
            self.workload.program.mounts, self.launching.root(self.workload.program)
        )
        command = tuple(map(own, probe.command))
        return await probes.check(replace(probe, command=command), Address(), self.env())

    # -- end -----------------------------------------------------------------------------------

    async def stop(self, *, drain: bool) -> None:
        """End app, then sidecar: a request that the app still makes can leave. ``drain`` waits,
        within limits, until no request is in flight; endpoints must have been taken away before.
        Safe to call twice.
        """
        if self.ended:
            return
        self.ended = True
        self.watch.end()
        self.ready, self.in_service = False, False
        if drain and not self.envoy.client.paused:
            unconnected = False
            with contextlib.suppress(MeshproofError, TimeoutError):
                async with asyncio.timeout(_DRAIN_LIMIT):
                    unconnected = await self._drained()
            await self._pre_stop()
            await self._keep_counts()
            if unconnected:
                await draining.close_connections_to_app(self.envoy.client)
        grace = self.workload.grace if drain else 2.0
        with contextlib.suppress(MeshproofError):  # it may have ended by itself
            await self.runtime.supervisor.stop(self.name, grace)
        await self.beside.stop(grace)
        await self.envoy.stop()
        self.runtime.block.release(self.slot)

    async def _keep_counts(self) -> None:
        """No request is left, so what it has counted is final: it stays in the mesh's metrics."""
        with contextlib.suppress(MeshproofError, TimeoutError):
            async with asyncio.timeout(_COUNT_LIMIT):
                # Envoy brings its histograms up to date while it answers: for the next answer.
                await scraping.page(self.envoy, None)
                page = await scraping.page(self.envoy, scraping.app_of(self))
                self.runtime.retired.keep(self.workload.namespace, self.name, self.ip, page)

    async def _pre_stop(self) -> None:
        """A hook that only sleeps is passed over: it waits until nobody sends here any more, and
        that is known by now."""
        if self.workload.pre_stop is not None:
            await self.ask(self.workload.pre_stop)

    async def _drained(self) -> bool:
        """No request in flight, and no connection that could bring one: a caller that had chosen
        this replica may still be shaking hands, and Envoys close what they have to an endpoint
        that is gone. Clients beyond the mesh may not, so connections alone are not waited for
        for long. Envoy tells no one when its last request ends, so it is asked, and more than
        once: a connection may lie in the kernel's queue. Returns whether no connection is left."""
        loop, quiet = asyncio.get_running_loop(), 0
        patient_until = loop.time() + _IDLE_LIMIT
        while quiet < _QUIET_LOOKS:
            active = await self.envoy.stats(r"^http\.inbound.*\.downstream_(rq|cx)_active$")
            kept_alive = loop.time() > patient_until
            busy = [n for n, v in active.items() if v and not (kept_alive and "_cx_" in n)]
            quiet = 0 if busy else quiet + 1
            await asyncio.sleep(_LOOK_EVERY)
        return not any(active.values())
