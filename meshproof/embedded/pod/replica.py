"""One replica: an app, its sidecar and its other containers, from their start to their end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Iterable

from meshproof.embedded.context import MeshContext
from meshproof.embedded.pod import draining, probes, scraping
from meshproof.embedded.pod.app_process import AppProcess
from meshproof.embedded.pod.companion_containers import CompanionContainers
from meshproof.embedded.pod.envoy_process import EnvoyProcess
from meshproof.embedded.pod.forwards import Forwards
from meshproof.embedded.pod.launch import Launch
from meshproof.embedded.pod.monitor import Monitor
from meshproof.embedded.pod.replica_state import ReplicaState
from meshproof.embedded.pod.workload import Workload
from meshproof.errors import MeshproofError, UsageError
from meshproof.host.addresses import real_port
from meshproof.host.event_loop import run_all
from meshproof.host.process_spec import Exit
from meshproof.progress import report_progress
from meshproof.translate.world import Address, ContainerPort, Replica

_SCRAPE_LIMIT = 10.0
"""Seconds for the last scrape of a replica that ends."""
_QUICK_GRACE = 2.0
"""Seconds between TERM and KILL where nothing is drained."""


class ReplicaRunner:
    """``on_change`` is called when readiness changes; it must not block. ``ordinal`` is the
    replica's number in a StatefulSet, from 0."""

    def __init__(
        self,
        context: MeshContext,
        workload: Workload,
        name: str,
        on_change: Callable[[], None],
        ordinal: int = 0,
    ) -> None:
        self._context, self.name, self.ordinal = context, name, ordinal
        self.state = ReplicaState(name, workload)
        self._slot = context.block.take()
        self.ip = context.block.sidecar(self._slot)
        self.app_ip = context.block.app(self._slot)
        self._in_pod = context.sandboxes.enabled
        self._forwards = Forwards(self.ip)
        self.ended = False
        self._listeners: dict[int, Address] = {}
        self._pipes: dict[int, str] = {}
        self._probe = str(context.paths.pod_probe(self._slot)) if self._in_pod else ""
        self._launch = Launch(
            context, self.state, slot=self._slot, ip=self.ip, app_ip=self.app_ip, ordinal=ordinal
        )
        self._labels = self._launch.labels()
        self.app = AppProcess(context, self.state, self._launch)
        self.envoy = EnvoyProcess(
            context,
            name,
            slot=self._slot,
            ip=self.ip,
            service=f"{workload.app}.{workload.namespace}",
            metadata={
                "NAMESPACE": workload.namespace,
                "WORKLOAD_NAME": workload.name,
                "LABELS": dict(workload.labels),
            },
            pod=name if context.sandboxes.enabled else "",
            transparent=not (workload.sidecar and workload.capture.takes_all_inbound),
        )
        self._companions = CompanionContainers(context, self.state, self._launch)
        self._monitor = Monitor(self.state, self.app, self.envoy, self._companions, on_change)

    @property
    def workload(self) -> Workload:
        return self.state.workload

    @property
    def ready(self) -> bool:
        return self.state.ready

    @property
    def restarts(self) -> int:
        """Of its containers and its Envoy."""
        return self.state.restarts

    def update(self, workload: Workload) -> None:
        """Take a workload of the same template: a ConfigMap or Secret may have changed, which the
        next start of the app will see."""
        self.state.workload = workload
        self._launch.write_files()

    # -- for the translator --------------------------------------------------------------------

    def as_endpoint(self, target_ports: Iterable[int]) -> Replica:
        """``target_ports`` are those that Services name beyond the container's own."""
        workload = self.workload
        names = {number: name for name, number in workload.ports}
        return Replica(
            name=self.name,
            namespace=workload.namespace,
            workload=workload.name,
            labels=self._labels,
            service_account=workload.service_account,
            ip=self.ip,
            ports=tuple(
                ContainerPort(
                    names.get(n, ""), n, self._listener(n), self.app_address(n), self._pipe(n)
                )
                for n in sorted({*names, *target_ports})
            ),
            ready=self.ready and self.state.in_service,
            probe=self._probe,
            sidecar=workload.sidecar,
            capture=workload.capture,
        )

    def _pipe(self, port: int) -> str:
        """Where proxies outside the pods reach a container port."""
        if port not in self._pipes:
            path = self._context.paths.pod_port(self._slot, port)
            self._pipes[port] = str(path) if self._in_pod else ""
        return self._pipes[port]

    def _listener(self, port: int) -> Address:
        """Where the sidecar listens for a container port."""
        if self._in_pod:
            return Address(ip=self.ip, port=port)
        if port not in self._listeners:
            self._listeners[port] = Address(ip=self.ip, port=real_port(self.ip, port))
        return self._listeners[port]

    async def open_listener(self, port: ContainerPort) -> Address:
        """Where this machine reaches the sidecar's listener for a container port."""
        return await self._forwards.open_listener(port) if self._in_pod else port.listen

    async def open_app(self, port: int) -> Address:
        """Where this machine reaches a port of the app, past its sidecar."""
        return await self._forwards.open_app(port, self.app_address(port), self._launch.make_socket)

    def app_address(self, port: int) -> Address:
        """Where the app itself listens for a container port."""
        return self._launch.app_address(port)

    def metrics_endpoint(self) -> scraping.MetricsEndpoint | None:
        """Where its app serves metrics, if its annotations say so."""
        return scraping.find_endpoint(self.workload, self.app_address, self._launch.make_socket)

    # -- start ---------------------------------------------------------------------------------

    async def start(self, wait_for_turn: Callable[[], Awaitable[None]]) -> None:
        """Start the sidecar, and all containers once ``wait_for_turn`` has returned. The sidecar's
        configuration must be set before."""
        probes.require_commands(self.workload)
        self._launch.lay_out()
        if self._in_pod:
            await self._context.sandboxes.create(
                self.name,
                self.ip,
                self._launch.host_name,
                self.workload.namespace,
                aliases=self._launch.host_aliases(),
                capture=self.workload.capture,
            )
            await self._launch.offer_spans()
        first = [self._companions.start]
        if not self.workload.init_programs:
            first.append(self.app.start)

        async def start_containers() -> None:
            await wait_for_turn()
            await run_all(start() for start in first)

        await run_all((self.envoy.start(), start_containers()))
        if not self.workload.init_programs:
            return
        # As with Istio's native sidecars, so that an init container can reach the mesh.
        await self.envoy.wait_ready()
        await self._companions.run_init_containers()
        await self.app.start()

    async def wait_ready(self) -> None:
        """Return when every container is ready; from then on it is monitored until ``stop``.

        Raises MeshproofError with the last lines of the process that ended or never became ready.
        """
        limit = self.workload.ready_within
        try:
            async with asyncio.timeout(limit):
                await run_all(
                    (self._wait_app_ready(), self.envoy.wait_ready(), self._companions.wait_ready())
                )
        except TimeoutError:
            raise MeshproofError(
                f"replica {self.name} was not ready within {limit:g} s: {self.state.reason}; the "
                f"last lines of its app:\n{self.app.last_lines()}"
            ) from None
        self.state.ready, self.state.reason = True, ""
        report_progress(f"{self.name} is ready")
        self._monitor.begin()

    async def _wait_app_ready(self) -> None:
        if await self.app.wait_ready():
            return
        assert self.app.exit is not None, "that is why"
        code = self.app.exit.result().code
        how = f"exit code {code}" if code >= 0 else f"signal {-code}"
        raise MeshproofError(
            f"the app of replica {self.name} ended with {how} before it was ready; its last "
            f"lines:\n{self.app.last_lines()}"
        )

    # -- processes -----------------------------------------------------------------------------

    def owns(self, process: str) -> bool:
        return process in (self.name, self.envoy.process) or self._companions.owns(process)

    def on_exit(self, exit_: Exit) -> None:
        """One of its processes ended."""
        if exit_.name == self.envoy.process:
            self.envoy.on_exit()
            self._monitor.on_envoy_exit()
        elif exit_.name == self.name:
            self.app.on_exit(exit_)
            self._monitor.on_app_exit()
        else:
            self._companions.on_exit(exit_)

    def signal_app(self, number: signal.Signals) -> None:
        """A fault: signal the app's process group."""
        self.app.paused = number == signal.SIGSTOP
        self._context.supervisor.signal(self.name, number)

    def signal_sidecar(self, number: signal.Signals) -> None:
        """A fault: signal the Envoy. Raises UsageError for a pod without a sidecar."""
        if not self.workload.sidecar:
            raise UsageError(f"{self.workload.title} has no sidecar")
        if number == signal.SIGSTOP:
            self._monitor.on_envoy_pause()
        self._context.supervisor.signal(self.envoy.process, number)
        if number == signal.SIGCONT:
            self._monitor.on_envoy_resume()

    # -- end -----------------------------------------------------------------------------------

    def end_monitoring(self) -> None:
        """From now on nothing is restarted."""
        self._monitor.end()

    async def close(self) -> None:
        """The mesh ends, and its supervisor ends the processes."""
        self._forwards.close()
        await self.envoy.close()

    async def stop(self, *, drain: bool) -> None:
        """End the app, then the sidecar, so that a request that the app still makes gets through.

        ``drain`` waits, within limits, until no request is in flight; the replica must not be an
        endpoint any more by then. Safe to call twice.
        """
        if self.ended:
            return
        self.ended = True
        self._monitor.end()
        self.state.ready, self.state.in_service = False, False
        if drain and not self.envoy.client.paused:
            await self._drain()
        grace = self.workload.grace if drain else _QUICK_GRACE
        await self.app.stop(grace)
        await self._companions.stop(grace)
        await self.envoy.stop()
        self._forwards.close()
        self._context.sandboxes.remove(self.name)
        self._context.block.release(self._slot)

    async def _drain(self) -> None:
        disconnected = await draining.wait_idle(self.envoy)
        if self.workload.pre_stop is not None:
            await self.app.check(self.workload.pre_stop)
        await self._retire_metrics()
        if disconnected:
            await draining.close_connections_to_app(self.envoy.client)

    async def _retire_metrics(self) -> None:
        """No request is left, so its metrics are final: they stay in those of the mesh."""
        with contextlib.suppress(MeshproofError, TimeoutError):
            async with asyncio.timeout(_SCRAPE_LIMIT):
                # Envoy merges its histograms while it answers: they are current in the next answer.
                await scraping.scrape(self.envoy, None)
                page = await scraping.scrape(self.envoy, self.metrics_endpoint())
                self._context.retired.keep(self.workload.namespace, self.name, self.ip, page)
