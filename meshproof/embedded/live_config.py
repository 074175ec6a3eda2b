"""The configuration that the mesh's Envoys have: computed, rolled out, pruned.

One lock is held only while a configuration rolls out, so that a replica that dies is removed from
the endpoints even in the middle of a slow change.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from meshproof.admission.store import Store
from meshproof.embedded.admission.wasm_modules import read_modules
from meshproof.embedded.config.target_ports import TargetPorts
from meshproof.embedded.config.world_builder import (
    build_world,
    certificate_files,
    istio_gateways,
)
from meshproof.embedded.config.world_reuse import WorldReuse
from meshproof.embedded.context import MeshContext
from meshproof.embedded.fleet import Fleet
from meshproof.embedded.gateway import GatewayRunner, Gateways
from meshproof.embedded.network_faults import NetworkFaults
from meshproof.embedded.outside import OutsideRunner
from meshproof.embedded.pod.replica import ReplicaRunner
from meshproof.embedded.pod_listeners import Place, PodListeners, listeners_of
from meshproof.embedded.snapshots import Snapshots
from meshproof.embedded.token_keys.key_cache import KeyCache
from meshproof.embedded.token_keys.key_client import KeyClient
from meshproof.embedded.token_keys.key_sources import key_sources, warn_of_missing_keys
from meshproof.errors import MeshproofError, Problem
from meshproof.host.event_loop import Background
from meshproof.memo import Memo
from meshproof.mesh import Ack
from meshproof.model.gateway import Gateway
from meshproof.translate.gateway_workloads import gateway_replica, server_ports
from meshproof.translate.name_table import build_name_table
from meshproof.translate.world import Named, Outside, Replica, World
from meshproof.xds import rollout
from meshproof.xds.rollout import Plan

_log = logging.getLogger("meshproof")
_RETRY_AFTER = 1.0
"""Seconds between two attempts to make new endpoints live."""
_PRUNE_AFTER = 5.0
"""Seconds that an unused cluster stays: a request that chose it may still retry."""


class LiveConfig:
    """Keeps the configuration of one mesh live. Use it in the event loop of the engine."""

    def __init__(
        self,
        context: MeshContext,
        outside: Sequence[OutsideRunner],
        network: NetworkFaults,
    ) -> None:
        self._context, self._outside = context, outside
        self.fleet = Fleet(context, self.refresh)
        self.gateways = Gateways(context, self.refresh)
        self.store = Store()
        """The resources in force."""
        self.version = ""
        """Of the newest configuration that is live."""
        self._snapshots = Snapshots(context.authority, network)
        self._key_client = KeyClient(self._outside_hosts)
        self._keys = KeyCache(self._key_client.fetch)
        self._worlds = WorldReuse()
        self._ports: Memo[TargetPorts] = Memo()
        self._pod_listeners = PodListeners(context.sandboxes)
        self._rollout_lock = asyncio.Lock()
        self._tasks = Background()
        self._pruning: asyncio.TimerHandle | None = None
        self._refreshing = False
        self._stopped = False

    def stop(self) -> None:
        """Roll out nothing more on its own."""
        self._stopped = True
        self._tasks.cancel()
        if self._pruning:
            self._pruning.cancel()

    # -- from resources and replicas to snapshots ----------------------------------------------

    def world(self, store: Store | None = None) -> World:
        """Resources, replicas and outside hosts as they are now; with ``store`` if it is given."""
        store = self.store if store is None else store
        ports = self._ports.get((store.services,), lambda: TargetPorts(store.services))
        replicas = [r.as_endpoint(ports.of(r.workload)) for r in self.fleet.runners]
        outside = self._outside_hosts()
        addresses, mesh = self._context.sandboxes.addresses, self._context.project.mesh_config
        gateways = istio_gateways(store)
        world = build_world(
            store,
            replicas,
            outside,
            gateway_replicas=[self._as_endpoint(r, gateways, store) for r in self.gateways.runners],
            missing_files=[path for path in certificate_files(store) if not Path(path).is_file()],
            wasm_modules=read_modules(store.lowered),
            addresses=addresses,
            token_keys=self._keys.keys,
            mesh=mesh,
        )
        return self._worlds.of(world)

    @staticmethod
    def _as_endpoint(
        runner: GatewayRunner, gateways: Sequence[Named[Gateway]], store: Store
    ) -> Replica:
        ports = runner.ports.bind(server_ports(gateways, runner.proxy))
        replica = gateway_replica(runner.proxy, runner.node, runner.ip, ports, store.services)
        return replace(replica, ready=runner.ready)

    def _outside_hosts(self) -> list[Outside]:
        return [host for runner in self._outside for host in runner.hosts()]

    async def fetch_keys(self, store: Store) -> list[Problem]:
        """Ask for the keys of tokens that ``store`` is the first to need. Returns a warning for
        each rule whose keys cannot be had: no token of it is taken."""
        self._key_client.trust(store.decoded)
        failures = await self._keys.resolve(key_sources(store))
        return list(warn_of_missing_keys(store, failures))

    async def keep_keys_fresh(self) -> None:
        """Ask again for keys when it is due, until cancelled."""
        await self._keys.keep_fresh(self.refresh)

    def _plan(self, now: World) -> Plan:
        paths, sandboxes = self._context.paths, self._context.sandboxes
        if sandboxes.enabled:
            sandboxes.names = build_name_table(now)
        logs = {r.name: str(paths.access_log(r.name)) for r in now.replicas}
        snapshots = self._snapshots.of(now, now.replicas, logs)
        clients = {r.name: r.envoy.client for r in self.fleet.runners}
        for runner in self.gateways.runners:
            ports = runner.ports.bind(server_ports(now.gateways, runner.proxy))
            log = str(paths.access_log(runner.node))
            snapshots[runner.node] = self._snapshots.of_gateway(
                now, runner.proxy, runner.ip, ports, log
            )
            clients[runner.node] = runner.envoy.client
        return {node: (clients[node], snapshot) for node, snapshot in snapshots.items()}

    def prepare_gateways(self, gateways: Iterable[GatewayRunner], store: Store) -> None:
        """Set what the Envoys of gateways that are about to start will be given."""
        self._prepare(self.world(store), {runner.node for runner in gateways})

    def prepare(self, new: Sequence[ReplicaRunner], store: Store) -> None:
        """Set what the Envoys of replicas that are about to start will be given."""
        current = self.fleet.runners
        self.fleet.runners = [*current, *new]
        try:
            self._prepare(self.world(store), {r.name for r in new})
        finally:
            self.fleet.runners = current

    def _prepare(self, now: World, nodes: Collection[str]) -> None:
        for node, (client, snapshot) in self._plan(now).items():
            if node in nodes:
                for type_url, resources in snapshot.resources.items():
                    client.set(type_url, resources)

    def forget(self, nodes: Iterable[str]) -> None:
        """Those that have ended."""
        for node in nodes:
            self._snapshots.forget(node)

    # -- rollout -------------------------------------------------------------------------------

    async def roll_out(self, started: float) -> list[Ack]:
        """Make the store and the replicas live; ``started`` is the change's start on the monotonic
        clock. Raises NotLive after putting every Envoy back."""
        async with self._rollout_lock:
            now = self.world()
            plan = self._plan(now)
            for gateway in self.gateways.runners:
                await gateway.show_in_pods()
            acks = await self._roll_out_with_listeners(plan, listeners_of(now), started)
            for gateway in self.gateways.runners:
                gateway.ports.settle(server_ports(now.gateways, gateway.proxy))
            if any(rollout.needs_pruning(client, snapshot) for client, snapshot in plan.values()):
                self._schedule_pruning()
        self.version = acks[0].version if acks else self.version
        return acks

    async def _roll_out_with_listeners(
        self, plan: Plan, listeners: frozenset[Place], started: float
    ) -> list[Ack]:
        """``listeners`` are those that the plan leads to."""
        former = self._pod_listeners.announced
        self._pod_listeners.withdraw_all_but(listeners)
        try:
            acks = await rollout.roll_out(plan, started)
        except BaseException:
            self._pod_listeners.announce(former)
            raise
        self._pod_listeners.announce(listeners)
        return acks

    async def renew_certificates(self) -> list[Ack]:
        """A new key and certificate for every sidecar, without a failed request."""
        self._snapshots.renew()
        return await self.roll_out(time.monotonic())

    def refresh(self) -> None:
        """Endpoints have changed: roll out soon; many calls make one rollout."""
        if not self._refreshing:
            self._refreshing = True
            self._tasks.start(self._refresh())

    async def _refresh(self) -> None:
        """Until it is live: a removed endpoint must not stay because one Envoy is silent."""
        self._refreshing = False
        while not self._stopped:
            try:
                await self.roll_out(time.monotonic())
                return
            except MeshproofError as error:
                _log.warning("new endpoints are not live yet: %s", error)
                await asyncio.sleep(_RETRY_AFTER)  # an attempt itself waits for acknowledgements

    async def wait_refreshed(self) -> None:
        """Return when every change of endpoints until now is live."""
        while self._refreshing or self._rollout_lock.locked():
            await asyncio.sleep(0.005)  # two flags of this loop; nothing to be notified by

    def _schedule_pruning(self) -> None:
        if self._pruning is None:
            loop = asyncio.get_running_loop()
            self._pruning = loop.call_later(_PRUNE_AFTER, self._prune)

    def _prune(self) -> None:
        self._pruning = None
        if self._rollout_lock.locked():
            self._schedule_pruning()
            return
        for client, snapshot in self._plan(self.world()).values():
            rollout.prune(client, snapshot)
