"""The embedded mesh's heart, inside one event loop: resources, fleet, and what is live.

Two locks: ``_change`` lets one user's change run at a time; ``_push`` is held only while a new
configuration rolls out, so that a replica that dies leaves the endpoints even in the middle of a
slow change.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence

from meshproof.admission.store import Store
from meshproof.embedded.autoscaling import Autoscaler
from meshproof.embedded.config import certificate_renewal
from meshproof.embedded.config.build_world import target_ports, world
from meshproof.embedded.config.draining import Draining
from meshproof.embedded.context import MeshContext
from meshproof.embedded.fleet import Fleet
from meshproof.embedded.gateway import GatewayRunner
from meshproof.embedded.network_faults import NetworkFaults
from meshproof.embedded.outside import OutsideRunner
from meshproof.embedded.pod.deployments import bound_everywhere, workloads
from meshproof.embedded.pod.replica import ReplicaRunner
from meshproof.embedded.snapshots import Snapshots
from meshproof.errors import MeshproofError, Problem
from meshproof.host import sockets
from meshproof.host.backoff import Backoff
from meshproof.host.event_loop import Background, run_all
from meshproof.host.process_spec import Exit
from meshproof.istio_names import INGRESS_GATEWAY
from meshproof.mesh import Ack
from meshproof.telemetry.span_store import SpanStore
from meshproof.translate.world import Replica, World
from meshproof.xds import rollout
from meshproof.xds.envoy_client import EnvoyClient

_log = logging.getLogger("meshproof")
_AGAIN = 1.0
"""Seconds between two tries to make new endpoints live."""
_PRUNE_AFTER = 5.0
"""Seconds an unused cluster stays: a request that chose it may still retry."""


class Engine:
    """Everything between ``start`` and ``stop``. Use from the loop that made it."""

    def __init__(self, runtime: MeshContext) -> None:
        self.runtime = runtime
        self.store = Store()
        self.spans = SpanStore()
        self.version = ""
        self.acks: list[Ack] = []
        """Of the last change."""
        self.warnings: list[Problem] = []
        """What the last change brought to light once it ran."""
        self.lost = ""
        """Why the mesh is no longer whole (its supervisor was killed), or empty."""
        self.gateway = GatewayRunner(runtime)
        self.fleet = Fleet(runtime, self._refresh)
        self.outside = [
            OutsideRunner(runtime, host, declared, index)
            for index, (host, declared) in enumerate(runtime.project.outside.items())
        ]
        self.network = NetworkFaults()
        self._snapshots = Snapshots(runtime.authority, self.network)
        self._change, self._push = asyncio.Lock(), asyncio.Lock()
        self._tasks = Background()
        self._gateway_backoff = Backoff()
        self._pruning: asyncio.TimerHandle | None = None
        self._refreshing = False
        self._ending = False

    # -- life ----------------------------------------------------------------------------------

    async def start(self, store: Store, started: float) -> list[Ack]:
        """Gateway, outside hosts and every workload, together; returns when all is live."""
        async with self._change:
            self._set_snapshots(self._world(store))
            await run_all((self.gateway.envoy.start(), *(host.start() for host in self.outside)))
            for host in self.outside:
                if host.declared.command:
                    self._tasks.start(host.keep())
            await run_all((self._become(store, started), self.gateway.envoy.ready()))
            self._tasks.start(certificate_renewal.keep_renewed(self.renew_certificates))
            self._tasks.start(Autoscaler(self).run())
            return self.acks

    async def stop(self) -> None:
        """Stop watching; the processes themselves end with the supervisor."""
        self._ending = True
        self._tasks.cancel()
        if self._pruning:
            self._pruning.cancel()
        for runner in self.fleet.runners:
            runner.watch.end()
            await runner.envoy.close()
        await self.gateway.envoy.close()
        await self.network.end()

    def exited(self, exit_: Exit) -> None:
        """The supervisor's word that a process ended."""
        if self._ending:
            return
        self.fleet.exited(exit_)
        for host in self.outside:
            if exit_.name == host.name:
                host.exited(exit_)
        if exit_.name == self.gateway.envoy.process:
            self.gateway.envoy.exited()
            if not self.lost:
                self._tasks.start(self._restart_gateway())

    def supervisor_lost(self, why: str) -> None:
        """Nothing runs any more, and nothing can be started."""
        self.lost = why
        self._tasks.cancel()
        for runner in self.fleet.runners:
            runner.watch.end()

    async def _restart_gateway(self) -> None:
        """Until its process is there; if that ends again, ``exited`` begins anew."""
        envoy = self.gateway.envoy
        while True:
            await asyncio.sleep(self._gateway_backoff.delay(time.monotonic()))
            envoy.restarts += 1
            try:
                return await envoy.start()
            except (MeshproofError, OSError) as error:
                _log.warning("the gateway's Envoy did not start again: %s", error)

    # -- change --------------------------------------------------------------------------------

    async def change(self, edit: Callable[[Store], Store], started: float) -> list[Ack]:
        """Make an edited store live: new replicas first, then the rules, then old replicas end.

        All or nothing: on any error the mesh stays, or is put back, as it was.
        """
        if self.lost:
            raise MeshproofError(self.lost)
        async with self._change:
            self.warnings = []
            return await self._become(edit(self.store), started)

    async def _become(self, store: Store, started: float) -> list[Ack]:
        wanted = workloads(store, self.runtime.project)
        turnover = self.fleet.plan(wanted)
        former, served = self.store, [r for r in turnover.going if r.in_service]
        waves = turnover.waves
        early: list[Ack] | None = None
        try:
            for wave in waves:
                self._prepare(wave, store)
                await self._start(wave)
                if wave is not waves[-1]:
                    early = []  # from here on there is something to take back
                    self._serve(wave, ())
                    self.store = store
                    early = await self._roll_out(started)
            self._serve(turnover.coming, turnover.going)
            self.store = store
            draining = Draining([*(r.envoy for r in self.fleet.runners), self.gateway.envoy])
            self.acks = [*(early or ()), *await self._roll_out(started)]
        except BaseException:
            self.store = former
            self._serve(served, ())
            await self.fleet.end(turnover.coming, drain=False)
            if early is not None:
                self._refresh()
            self._forget(turnover.coming)
            raise
        self.fleet.keep(wanted)
        await draining.wait()
        await self.fleet.end(turnover.going, drain=True)
        self._forget(turnover.going)
        return self.acks

    def _prepare(self, coming: Sequence[ReplicaRunner], store: Store) -> None:
        """What the Envoys of new replicas find when they connect."""
        present = self.fleet.runners
        self.fleet.runners = [*present, *coming]
        try:
            self._set_snapshots(self._world(store), only={r.name for r in coming})
        finally:
            self.fleet.runners = present

    @staticmethod
    def _serve(these: Iterable[ReplicaRunner], not_these: Iterable[ReplicaRunner]) -> None:
        for runner in these:
            runner.in_service = True
        for runner in not_these:
            runner.in_service = False

    async def _start(self, coming: Sequence[ReplicaRunner]) -> None:
        try:
            await self.fleet.start(coming)
        except MeshproofError as error:
            # An app that takes a port on every address is why its sidecar cannot have it.
            why = [f"\n{p}" for p in await self._bound_everywhere(coming)]
            raise MeshproofError(f"{error}{''.join(why)}") from error
        self.warnings += await self._bound_everywhere(coming)

    async def _bound_everywhere(self, coming: Sequence[ReplicaRunner]) -> list[Problem]:
        running = self.runtime.supervisor.running
        pids = {running[r.name]: r.workload for r in coming if r.name in running}
        found = await asyncio.to_thread(sockets.find_wildcard_listeners, pids.keys())
        places: dict[tuple[str, str], list[str]] = {}
        for pid, at in found.items():
            places.setdefault(pids[pid].key, []).extend(str(listener) for listener in at)
        by_key = {w.key: w for w in pids.values()}
        return [bound_everywhere(by_key[k], ", ".join(sorted(at))) for k, at in places.items()]

    def _forget(self, ended: Iterable[ReplicaRunner]) -> None:
        for runner in ended:
            self._snapshots.forget(runner.name)

    async def _roll_out(self, started: float) -> list[Ack]:
        async with self._push:
            plan = self._plan(self._world(self.store))
            acks = await rollout.roll_out(plan, started)
            if any(rollout.needs_pruning(client, snapshot) for client, snapshot in plan.values()):
                self._prune_later()
        self.version = acks[0].version if acks else self.version
        return acks

    def _refresh(self) -> None:
        """Endpoints changed by themselves: roll out soon; many calls make one roll-out."""
        if not self._refreshing:
            self._refreshing = True
            self._tasks.start(self._refresh_once())

    async def refreshed(self) -> None:
        """Return when every change of endpoints that is known by now is live."""
        while self._refreshing or self._push.locked():
            await asyncio.sleep(0.005)  # two flags of this loop; nothing to be told by

    async def _refresh_once(self) -> None:
        """Until it is live: an endpoint that is gone must not stay because one Envoy is silent."""
        self._refreshing = False
        while not self.lost:
            try:
                await self._roll_out(time.monotonic())
                return
            except MeshproofError as error:
                _log.warning("new endpoints are not live yet: %s", error)
                await asyncio.sleep(_AGAIN)  # each try waits for acknowledgements by itself

    # -- configuration -------------------------------------------------------------------------

    def _world(self, store: Store) -> World:
        replicas = [
            r.replica(target_ports(store.services, r.workload.namespace, r.workload.labels))
            for r in self.fleet.runners
        ]
        outside = [h for runner in self.outside for h in runner.hosts()]
        return world(store, replicas, outside)

    def world(self) -> World:
        """As it is now."""
        return self._world(self.store)

    def _plan(self, now: World) -> dict[str, tuple[EnvoyClient, rollout.Snapshot]]:
        snapshots = self._snapshots_of(now, now.replicas)
        sidecars = {r.name: r.envoy.client for r in self.fleet.runners}
        sidecars[INGRESS_GATEWAY] = self.gateway.envoy.client
        return {node: (sidecars[node], snapshot) for node, snapshot in snapshots.items()}

    def _snapshots_of(
        self, now: World, replicas: tuple[Replica, ...]
    ) -> dict[str, rollout.Snapshot]:
        files = self.runtime.files
        logs = {r.name: str(files.access_log(r.name)) for r in replicas}
        snapshots = self._snapshots.of(now, replicas, logs)
        snapshots[INGRESS_GATEWAY] = self._snapshots.of_gateway(
            now, self.gateway.ip, self.gateway.ports(now), str(files.access_log(INGRESS_GATEWAY))
        )
        return snapshots

    def _set_snapshots(self, now: World, only: set[str] | None = None) -> None:
        """What Envoys that are about to start will be given."""
        for node, (client, snapshot) in self._plan(now).items():
            if only is None or node in only:
                for type_url, resources in snapshot.resources.items():
                    client.set(type_url, resources)

    def _prune_later(self) -> None:
        if self._pruning is None:
            loop = asyncio.get_running_loop()
            self._pruning = loop.call_later(_PRUNE_AFTER, self._prune)

    def _prune(self) -> None:
        self._pruning = None
        if self._push.locked():
            self._prune_later()
            return
        for client, snapshot in self._plan(self.world()).values():
            rollout.prune(client, snapshot)

    # -- background ----------------------------------------------------------------------------

    async def renew_certificates(self) -> list[Ack]:
        """A new key and certificate for every sidecar, without a failed request."""
        self._snapshots.renew()
        return await self._roll_out(time.monotonic())
