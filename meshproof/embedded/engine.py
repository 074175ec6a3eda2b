"""The heart of the embedded mesh, inside one event loop: makes a set of resources live.

One lock lets a single change run at a time; rollouts have their own (``live_config``).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence

from meshproof.admission.store import Store
from meshproof.embedded import patches
from meshproof.embedded.autoscaling import Autoscaler
from meshproof.embedded.config import certificate_renewal
from meshproof.embedded.context import MeshContext
from meshproof.embedded.fleet import Fleet, Turnover
from meshproof.embedded.gateway import Gateways, GatewayTurnover
from meshproof.embedded.live_config import LiveConfig
from meshproof.embedded.network_faults import NetworkFaults
from meshproof.embedded.outside import OutsideRunner
from meshproof.embedded.pod.deployments import build_workloads, warn_of_wildcard
from meshproof.embedded.pod.draining import ListenerDrain
from meshproof.embedded.pod.envoy_process import EnvoyProcess
from meshproof.embedded.pod.replica import ReplicaRunner
from meshproof.embedded.token_keys.key_sources import key_sources
from meshproof.errors import MeshproofError, Problem
from meshproof.host import sockets
from meshproof.host.event_loop import Background, run_all
from meshproof.host.process_spec import Exit
from meshproof.mesh import Ack
from meshproof.telemetry.span_store import SpanStore
from meshproof.translate.gateway_workloads import gateway_workloads
from meshproof.translate.world import World

_log = logging.getLogger("meshproof")


class Engine:
    """Everything between ``start`` and ``stop``. Use it in the event loop that created it."""

    def __init__(self, context: MeshContext) -> None:
        self.context = context
        self.spans = SpanStore()
        self.warnings: list[Problem] = []
        """What the last change brought to light once it ran."""
        self.lost = ""
        """Why the mesh is no longer whole (its supervisor was killed), or empty."""
        self.outside = [
            OutsideRunner(context, host, declared, index)
            for index, (host, declared) in enumerate(context.project.outside.items())
        ]
        self.network = NetworkFaults(context.sandboxes, context.paths.sockets)
        self.config = LiveConfig(context, self.outside, self.network)
        self._change_lock = asyncio.Lock()
        self._tasks = Background()
        self._hosts: asyncio.Task[None] | None = None
        self._ending = False

    @property
    def fleet(self) -> Fleet:
        return self.config.fleet

    @property
    def gateways(self) -> Gateways:
        return self.config.gateways

    @property
    def store(self) -> Store:
        """The resources in force."""
        return self.config.store

    def world(self) -> World:
        """As it is now."""
        return self.config.world()

    def envoys(self) -> list[EnvoyProcess]:
        """All that run, the gateways' first."""
        gateways = [r.envoy for r in self.gateways.runners]
        return [*gateways, *(r.envoy for r in self.fleet.runners)]

    # -- life ----------------------------------------------------------------------------------

    def start_outside(self) -> None:
        """Begin to start the outside hosts, before anything else; ``start`` waits for them."""
        self._hosts = asyncio.create_task(run_all(host.start() for host in self.outside))

    async def start(self, store: Store, started: float) -> list[Ack]:
        """Start the gateway and every workload; returns when all is live. No app starts before
        the outside hosts listen: it may need one to start. Its sidecar does."""
        async with self._change_lock:
            ingress = self.gateways.ingress
            self.config.prepare_gateways([ingress], store)
            ingress.ready = True
            await ingress.envoy.start()
            acks: list[Ack] = []

            async def reconcile() -> None:
                acks.extend(await self._reconcile(store, started))

            await run_all((reconcile(), ingress.envoy.wait_ready(), self._wait_outside()))
            for host in self.outside:
                if host.declared.command:
                    self._tasks.start(host.keep_running())
            renewal = certificate_renewal.keep_renewed(self.config.renew_certificates)
            self._tasks.start(renewal)
            self._tasks.start(self.config.keep_keys_fresh())
            self._tasks.start(Autoscaler(self.context, self).run())
            return acks

    async def _wait_outside(self) -> None:
        assert self._hosts is not None, "start_outside comes first"
        await self._hosts

    async def stop(self) -> None:
        """Stop monitoring; the processes themselves end with the supervisor."""
        self._ending = True
        if self._hosts is not None:
            self._hosts.cancel()
            await asyncio.gather(self._hosts, return_exceptions=True)
        self._tasks.cancel()
        self.config.stop()
        self.fleet.end_monitoring()
        for runner in self.fleet.runners:
            await runner.close()
        await self.gateways.close()
        await self.network.end()

    def on_exit(self, exit_: Exit) -> None:
        """A process of the mesh ended."""
        if self._ending:
            return
        self.fleet.on_exit(exit_)
        for host in self.outside:
            if exit_.name == host.process:
                host.on_exit(exit_)
        self.gateways.on_exit(exit_)

    def on_supervisor_lost(self, why: str) -> None:
        """No process runs any more, and none can be started."""
        self.lost = why
        self._tasks.cancel()
        self.config.stop()
        self.fleet.end_monitoring()
        self.gateways.end_monitoring()

    # -- change --------------------------------------------------------------------------------

    async def change(self, edit: Callable[[Store], Store], started: float) -> list[Ack]:
        """Make an edited store live: new replicas first, then the rules, then old replicas end.

        All or nothing: on any error the mesh stays, or is put back, as it was.
        """
        if self.lost:
            raise MeshproofError(self.lost)
        async with self._change_lock:
            self.warnings = []
            return await self._reconcile(edit(self.store), started)

    async def _reconcile(self, store: Store, started: float) -> list[Ack]:
        if key_sources(store):
            await self._wait_outside()  # they have the keys
        self.warnings += await self.config.fetch_keys(store)
        desired = build_workloads(store, self.context.project)
        proxies = gateway_workloads(store.lowered)
        turnover, gateways = self.fleet.plan(desired), self.gateways.plan(proxies)
        previous, served = self.store, [r for r in turnover.old if r.state.in_service]
        former = self.gateways.update(proxies)
        self.gateways.runners += gateways.new
        waves = turnover.waves
        early: list[Ack] | None = None
        """Acknowledgements of the first wave, once there is one to take back."""
        try:
            first = [self._start_gateways(gateways, store)]
            for wave in waves:
                self.config.prepare(wave, store)
                await run_all((*first, self._start(wave)))
                first = []
                if wave is not waves[-1]:
                    early = []
                    _set_in_service(wave, True)
                    self.config.store = store
                    early = await self.config.roll_out(started)
            await run_all(first)
            _set_in_service(turnover.new, True)
            _set_in_service(turnover.old, False)
            self.config.store = store
            drain = ListenerDrain(self.envoys())
            acks = [*(early or ()), *await self.config.roll_out(started)]
        except BaseException:
            self.config.store = previous
            _set_in_service(served, True)
            self.gateways.update(former.values())
            await self._abandon(turnover, gateways, refresh=early is not None)
            raise
        self.fleet.update(desired)
        await drain.wait()
        await self.fleet.end(turnover.old, drain=True)
        await self.gateways.end(gateways.old)
        self.config.forget([*(r.name for r in turnover.old), *(r.node for r in gateways.old)])
        earlier = previous.of("EnvoyFilter")
        applied = [r for r in store.of("EnvoyFilter") if r not in earlier]
        if applied:  # what they match shows in a world, which nothing else needs now
            proxies = gateway_workloads(store.lowered)
            self.warnings += patches.find_unmatched(self.world(), proxies, applied)
        return acks

    async def _start_gateways(self, turnover: GatewayTurnover, store: Store) -> None:
        if turnover.new:
            self.config.prepare_gateways(turnover.new, store)
            await self.gateways.start(turnover.new)

    async def _abandon(
        self, turnover: Turnover, gateways: GatewayTurnover, *, refresh: bool
    ) -> None:
        """End the new replicas and gateways of a change that failed."""
        await self.fleet.end(turnover.new, drain=False)
        await self.gateways.end(gateways.new)
        if refresh:
            self.config.refresh()
        self.config.forget([*(r.name for r in turnover.new), *(r.node for r in gateways.new)])

    async def _start(self, new: Sequence[ReplicaRunner]) -> None:
        try:
            await self.fleet.start(new, self._wait_outside)
        except MeshproofError as error:
            # An app that takes a port on every address is why its sidecar cannot have it.
            causes = [f"\n{p}" for p in await self._find_wildcard_listeners(new)]
            raise MeshproofError(f"{error}{''.join(causes)}") from error
        self.warnings += await self._find_wildcard_listeners(new)

    async def _find_wildcard_listeners(self, new: Sequence[ReplicaRunner]) -> list[Problem]:
        running = self.context.supervisor.running
        by_pid = {running[r.name]: r.workload for r in new if r.name in running}
        listeners = await asyncio.to_thread(sockets.find_wildcard_listeners, by_pid.keys())
        addresses: dict[tuple[str, str], list[str]] = {}
        for pid, own in listeners.items():
            addresses.setdefault(by_pid[pid].key, []).extend(map(str, own))
        by_key = {w.key: w for w in by_pid.values()}
        return [warn_of_wildcard(by_key[k], ", ".join(sorted(a))) for k, a in addresses.items()]


def _set_in_service(runners: Iterable[ReplicaRunner], in_service: bool) -> None:
    for runner in runners:
        runner.state.in_service = in_service
