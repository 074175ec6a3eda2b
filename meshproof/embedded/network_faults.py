"""Network faults: which of them are active, and which callers and endpoints they affect.

A fault is not a resource: it ends with ``heal``, ``reset`` or the mesh. The caller's sidecar is
given another address for the affected endpoints, that of a ``TcpFaultProxy``; where replicas are
pods, the proxy stands in their network, or at the border of it. Requests that are in
flight when a fault begins or ends finish on the connection that they have.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from meshproof.embedded.fault_networks import PipeNetwork, PodNetwork
from meshproof.embedded.sandbox import Sandboxes
from meshproof.host.tcp_fault_proxy import GRACE, Impairment, Network, Place, TcpFaultProxy
from meshproof.translate.proto import Json
from meshproof.translate.reach import reachable_world
from meshproof.translate.world import Address, Config, Proxy, World

Workload = tuple[str, str]
"""Namespace and name; of an outside host ``("", host)``."""


@dataclass(eq=False)
class NetworkFault:
    """From a workload (None: from every caller) to another, or to one of its replicas."""

    kind: str
    source: Workload | None
    to: Workload
    replica: str
    impairment: Impairment
    proxies: dict[Place, TcpFaultProxy] = field(default_factory=dict)
    """By the real address."""

    def affects(self, caller: Workload) -> bool:
        return self.source in (None, caller)


class NetworkFaults:
    """All network faults of a mesh. Use it in the mesh's event loop. ``sandboxes`` are those of its
    pods, if it has any, and ``sockets`` the folder of its Unix sockets."""

    def __init__(self, sandboxes: Sandboxes | None = None, sockets: Path | None = None) -> None:
        self._pods = PodNetwork(sandboxes) if sandboxes else None
        self._pipes = PipeNetwork(sockets) if sockets else None
        self._faults: list[NetworkFault] = []
        self._rng = random.Random()  # noqa: S311 (which bytes are late is no secret)

    def add(self, fault: NetworkFault) -> None:
        """Takes effect with the next ``detours``. Of several faults the newest counts."""
        self._faults.insert(0, fault)

    def remove(self, fault: NetworkFault) -> None:
        """Takes effect with the next ``detours``; ``close`` it when these are live."""
        with contextlib.suppress(ValueError):
            self._faults.remove(fault)

    def select(self, workload: Workload | None) -> list[NetworkFault]:
        """Faults to a workload, or from it; all for None."""
        return [f for f in self._faults if workload is None or workload in (f.to, f.source)]

    def detours(self, world: World, proxy: Proxy) -> dict[Place, Place]:
        """Real address -> the one that this caller is to use instead. Starts proxies as needed."""
        if not self._faults:
            return {}
        caller = (proxy.namespace, proxy.workload)
        reachable = reachable_world(world, proxy)
        in_pod = world.pods and proxy.kind != "gateway"
        result: dict[Place, Place] = {}
        for fault in self._faults:
            if fault.affects(caller):
                for address in _affected_addresses(reachable, fault):
                    if address not in result:
                        result[address] = self._proxy(fault, address, in_pod=in_pod).address
        return result

    def _proxy(self, fault: NetworkFault, address: Place, *, in_pod: bool) -> TcpFaultProxy:
        if address not in fault.proxies:
            network: Network | None = self._pods if in_pod else None
            if isinstance(address, str):
                network = self._pipes
            fault.proxies[address] = TcpFaultProxy(address, fault.impairment, self._rng, network)
        return fault.proxies[address]

    @staticmethod
    async def close(faults: Iterable[NetworkFault], grace: float = GRACE) -> None:
        """End their proxies; open connections have ``grace`` seconds to finish."""
        await asyncio.gather(*(p.close(grace) for f in faults for p in f.proxies.values()))

    async def end(self) -> None:
        """The mesh ends."""
        await self.close(self._faults, grace=0.0)
        self._faults.clear()


def _affected_addresses(world: World, fault: NetworkFault) -> Iterator[Place]:
    namespace, name = fault.to
    for replica in (*world.replicas, *world.gateway_replicas):
        if (replica.namespace, replica.workload) == fault.to and fault.replica in (
            "",
            replica.name,
        ):
            yield from (_place(port.listen) for port in replica.ports)
    for outside in world.outside:
        if not namespace and outside.host == name:
            yield from map(_place, outside.ports.values())


def _place(address: Address) -> Place:
    return address.path or (address.ip, address.port)


def apply_detours(config: Config, detours: Mapping[Place, Place]) -> Config:
    """A caller's configuration with the other addresses for the affected endpoints."""
    if not detours:
        return config
    return replace(
        config,
        endpoints={n: _detour_assignment(e, detours) for n, e in config.endpoints.items()},
        clusters={n: _detour_cluster(c, detours) for n, c in config.clusters.items()},
    )


def _detour_cluster(cluster: Json, detours: Mapping[Place, Place]) -> Json:
    """A cluster with its endpoints in itself; those of others come by EDS."""
    own = cluster.get("load_assignment")
    return {**cluster, "load_assignment": _detour_assignment(own, detours)} if own else cluster


def _detour_assignment(assignment: Json, detours: Mapping[Place, Place]) -> Json:
    groups = [
        {
            **group,
            "lb_endpoints": [_detour_endpoint(e, detours) for e in group.get("lb_endpoints", [])],
        }
        for group in assignment.get("endpoints", [])
    ]
    return {**assignment, "endpoints": groups}


def _detour_endpoint(endpoint: Json, detours: Mapping[Place, Place]) -> Json:
    real = endpoint["endpoint"]["address"]
    socket, pipe = real.get("socket_address"), real.get("pipe")
    place = (socket["address"], socket["port_value"]) if socket else pipe and pipe["path"]
    detour = detours.get(place) if place else None
    if detour is None:
        return endpoint
    address: Json = {"pipe": {"path": detour}}
    if not isinstance(detour, str):
        address = {"socket_address": {**socket, "address": detour[0], "port_value": detour[1]}}
    return {**endpoint, "endpoint": {**endpoint["endpoint"], "address": address}}
