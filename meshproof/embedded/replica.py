"""One replica: an app and its sidecar, started together, watched, restarted, ended in order."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from meshproof.embedded import environment, probing
from meshproof.embedded.addresses import real_port
from meshproof.embedded.envoy_process import EnvoyProcess
from meshproof.embedded.runtime import Runtime, last_lines
from meshproof.embedded.spec import Exit, ProcessSpec
from meshproof.embedded.workload import Probe, Workload
from meshproof.errors import MeshproofError
from meshproof.project import expand
from meshproof.translate.world import Address, ContainerPort, Replica

READY_LIMIT = 60.0
"""Seconds that a new replica may take until it is ready, before the change is given up."""
_FAST = 0.02
"""Seconds between probes until the first success; then the probe's own period."""
_BACKOFF = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_DRAIN_LIMIT = 5.0


class ReplicaRunner:
    """``on_change`` is called when readiness changes; it must not block."""

    def __init__(
        self, runtime: Runtime, workload: Workload, name: str, on_change: Callable[[], None]
    ) -> None:
        self.runtime, self.workload, self.name = runtime, workload, name
        self.slot = runtime.block.take()
        self.ip = runtime.block.sidecar(self.slot)
        self.app_ip = runtime.block.app(self.slot)
        self.in_service = False
        """Whether it may be an endpoint at all: not while it is being rolled out or ended."""
        self.ready = False
        self.reason = "starting"
        self.restarts = 0
        self.paused = False
        self._on_change = on_change
        self._listen: dict[int, Address] = {}
        self._app: dict[int, Address] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._exit: asyncio.Future[Exit] | None = None
        self._stopping = False
        self._started = False
        self._sidecar_up = False
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
            labels=self.workload.labels,
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
        if port not in self._app:
            if self.workload.takes_socket():
                self._app[port] = Address(path=str(self.runtime.files.app(self.slot)))
            else:
                self._app[port] = Address(ip=self.app_ip, port=real_port(self.app_ip, port))
        return self._app[port]

    # -- life ----------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start both processes. The sidecar's configuration must be set before."""
        await asyncio.gather(self.envoy.start(), self._start_app())

    async def until_ready(self) -> None:
        """Return when sidecar and app are ready; then it is watched until ``stop``.

        Raises MeshproofError with the last lines of the process that ended or never got ready.
        """
        app = asyncio.create_task(self._app_ready())
        sidecar = asyncio.create_task(self.envoy.ready())
        assert self._exit is not None
        waiting: set[asyncio.Future[Any]] = {app, sidecar}
        try:
            async with asyncio.timeout(READY_LIMIT):
                while waiting:
                    done, _ = await asyncio.wait(
                        {*waiting, self._exit}, return_when=asyncio.FIRST_COMPLETED
                    )
                    if self._exit.done():
                        raise self._ended(self._exit.result())
                    waiting -= done
                    for task in done:
                        task.result()
        except TimeoutError:
            raise MeshproofError(
                f"replica {self.name} was not ready within {READY_LIMIT:g} s: {self.reason}; the "
                f"last lines of its app:\n{self._last_lines()}"
            ) from None
        finally:
            app.cancel()
            sidecar.cancel()
        self._sidecar_up, self.ready, self.reason = True, True, ""
        self._watch(self._watch_readiness())
        self._watch(self._watch_liveness())

    def _ended(self, exit_: Exit) -> MeshproofError:
        how = f"exit code {exit_.code}" if exit_.code >= 0 else f"signal {-exit_.code}"
        return MeshproofError(
            f"the app of replica {self.name} ended with {how} before it was ready; its last "
            f"lines:\n{self._last_lines()}"
        )

    def _last_lines(self) -> str:
        return last_lines(self.runtime.files.app_log(self.name))

    def values(self) -> dict[str, str]:
        """What the placeholders of commands and environments stand for."""
        first = self.workload.ports[0][1] if self.workload.ports else 8080
        address = self.app_address(first)
        return {
            "python": sys.executable,
            "ip": self.app_ip,
            "port": str(address.port or first),
            "socket": str(self.runtime.files.app(self.slot)),
            "dir": str(self.runtime.files.private(self.name)),
        }

    def env(self) -> dict[str, str]:
        """The container's whole environment. The image table's variables win: they say where the
        app is to listen here."""
        values = self.values()
        table = {k: expand([v], values)[0] for k, v in self.workload.env.items()}
        return {
            **self.runtime.base_env,
            "HOSTNAME": self.name,
            **environment.proxy(self.ip),
            **self.workload.container_env(self.name, self.ip),
            **table,
        }

    async def _start_app(self) -> None:
        self._exit, self._started = asyncio.get_running_loop().create_future(), False
        self.runtime.files.app(self.slot).unlink(missing_ok=True)
        env = self.env()
        command = expand(self.workload.command, self.values())
        await self.runtime.processes.spawn(
            ProcessSpec(
                name=self.name,
                argv=[*command, *self.workload.container_args(env)],
                env=env,
                cwd=str(self.runtime.project.root),
                log=str(self.runtime.files.app_log(self.name)),
            )
        )

    async def _app_ready(self) -> None:
        while reason := await self._ask_readiness():
            self.reason = reason
            await asyncio.sleep(_FAST)

    async def _ask_readiness(self) -> str:
        if self.workload.startup is not None and not self._started:
            if reason := await self._ask(self.workload.startup):
                return reason
            self._started = True
        probe = self.workload.readiness
        if probe is not None:
            return await self._ask(probe)
        for _name, port in self.workload.ports:
            if reason := await probing.accepts(self.app_address(port), 1.0):
                return reason
        return ""

    async def _ask(self, probe: Probe) -> str:
        return await probing.check(probe, self.app_address(probe.port), self.env())

    # -- watching ------------------------------------------------------------------------------

    def _watch(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _set(self, ready: bool, reason: str) -> None:
        self.reason = reason
        if ready != self.ready:
            self.ready = ready
            self._on_change()

    async def _watch_readiness(self) -> None:
        probe = self.workload.readiness
        if probe is None:
            return
        failed = 0
        while True:
            await asyncio.sleep(probe.period if not failed else min(probe.period, 1.0))
            if self._exit is None or self._exit.done() or not self._sidecar_up:
                continue
            reason = await self._ask(probe)
            failed = failed + 1 if reason else 0
            if failed >= probe.failures or not reason:
                self._set(not reason, reason)

    async def _watch_liveness(self) -> None:
        probe = self.workload.liveness
        if probe is None:
            return
        failed = 0
        while True:
            await asyncio.sleep(probe.period)
            if self._exit is None or self._exit.done() or self.paused:
                continue
            failed = failed + 1 if await self._ask(probe) else 0
            if failed >= probe.failures:
                failed = 0
                self._set(False, "liveness probe failed; restarting")
                await self.runtime.processes.stop(self.name, self.workload.grace)

    def exited(self, exit_: Exit) -> None:
        """The supervisor's word that the app or the Envoy of this replica ended."""
        if exit_.name == self.envoy.process:
            self.envoy.exited()
            if not self._stopping and self._sidecar_up:
                self._sidecar_up = False
                self._set(False, "its Envoy ended; restarting")
                self._watch(self._restart_envoy())
            return
        if self._exit is not None and not self._exit.done():
            self._exit.set_result(exit_)
        if not self._stopping and self._tasks:
            self._set(False, f"its app ended ({exit_.code}); restarting")
            self._watch(self._restart_app())

    def _backoff(self) -> float:
        delay = _BACKOFF[min(self.restarts, len(_BACKOFF) - 1)]
        self.restarts += 1
        return delay

    async def _restart_app(self) -> None:
        await asyncio.sleep(self._backoff())
        await self._start_app()
        assert self._exit is not None
        ready = asyncio.create_task(self._app_ready())
        either: set[asyncio.Future[Any]] = {ready, self._exit}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if ready.done() and not self._exit.done() and self._sidecar_up:
            self._set(True, "")
        ready.cancel()

    async def _restart_envoy(self) -> None:
        while not self._stopping:
            await asyncio.sleep(self._backoff())
            await self.envoy.start()
            try:
                await self.envoy.ready()
            except MeshproofError as error:
                self.reason = str(error)
                continue
            self._sidecar_up = True
            if not await self._ask_readiness():
                self._set(True, "")
            return

    # -- end -----------------------------------------------------------------------------------

    async def stop(self, *, drain: bool) -> None:
        """End app, then sidecar: a request that the app still makes can leave. ``drain`` waits,
        within limits, until no request is in flight; endpoints must have been taken away before.
        """
        self._stopping, self.ready, self.in_service = True, False, False
        for task in list(self._tasks):
            task.cancel()
        if drain:
            with contextlib.suppress(MeshproofError, TimeoutError):
                async with asyncio.timeout(_DRAIN_LIMIT):
                    await self._drained()
            await self._pre_stop()
        with contextlib.suppress(MeshproofError):  # it may have ended by itself
            await self.runtime.processes.stop(self.name, self.workload.grace if drain else 2.0)
        await self.envoy.stop()
        self.runtime.block.give(self.slot)

    async def _pre_stop(self) -> None:
        """A hook that only sleeps is passed over: it waits until nobody sends here any more, and
        that is known by now."""
        if self.workload.pre_stop is not None:
            await self._ask(self.workload.pre_stop)

    async def _drained(self) -> None:
        while any((await self.envoy.stats(r"^http\.inbound.*\.downstream_rq_active$")).values()):
            await asyncio.sleep(0.02)  # Envoy tells no one when its last request ends
