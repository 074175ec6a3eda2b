"""Faults of the network between places of the mesh: which there are, and whom they concern.

A fault is no rule: it stands in no resource, and goes with ``heal``, ``reset`` or the mesh. A
caller's sidecar is given another address for the endpoints concerned, that of a ``TcpFaultProxy``;
requests that are under way when a fault begins or ends finish on the connection that they have.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from meshproof.embedded.tcp_fault_proxy import LAST, HostPort, Impairment, TcpFaultProxy
from meshproof.errors import UsageError
from meshproof.translate.proto import Json
from meshproof.translate.world import Config, Proxy, World

KINDS = ("latency", "loss", "refuse", "cut", "partition")
"""A partition is a cut both ways."""
Workload = tuple[str, str]
"""Namespace and name; of an outside host ``("", host)``."""


@dataclass(eq=False)
class NetworkFault:
    """From one place (None: from everywhere) to another, or to one of its replicas."""

    kind: str
    source: Workload | None
    to: Workload
    replica: str
    condition: Impairment
    relays: dict[HostPort, TcpFaultProxy] = field(default_factory=dict)

    def concerns(self, caller: Workload) -> bool:
        return self.source in (None, caller)


def condition(kind: str, how: Mapping[str, Any]) -> Impairment:
    """Raises UsageError for words that a kind does not have, and for numbers that are none.

    ``latency`` takes ``ms``, ``loss`` takes ``percent``; the others take none.
    """
    wanted = {"latency": "ms", "loss": "percent"}.get(kind)
    if other := sorted(set(how) - {wanted}):
        raise UsageError(f"fault {kind}: {', '.join(other)}: wanted {wanted or 'no number'}")
    if wanted is None:
        return Impairment(passes=kind == "refuse", refuses=kind == "refuse")
    number, most = how.get(wanted), 60_000 if kind == "latency" else 99
    if not isinstance(number, int | float) or isinstance(number, bool) or not 0 < number <= most:
        raise UsageError(f"fault {kind}: {wanted}={number!r}: wanted more than 0, at most {most}")
    return Impairment(delay=number / 1000) if kind == "latency" else Impairment(loss=number / 100)


class NetworkFaults:
    """All of a mesh's network faults. Use from the loop that runs it."""

    def __init__(self) -> None:
        self._faults: list[NetworkFault] = []
        self._draw = random.Random()  # noqa: S311 (which bytes are late is no secret)

    def add(self, fault: NetworkFault) -> None:
        """The next detours know it. The newest fault of a way counts."""
        self._faults.insert(0, fault)

    def remove(self, fault: NetworkFault) -> None:
        """The next detours do not know it; ``close`` it when those are live."""
        with contextlib.suppress(ValueError):
            self._faults.remove(fault)

    def chosen(self, to: Workload | None) -> list[NetworkFault]:
        """All that lead to a place, or come from it; all there are for None."""
        return [f for f in self._faults if to is None or to in (f.to, f.source)]

    def detours(self, world: World, proxy: Proxy) -> dict[HostPort, HostPort]:
        """Real address -> the one that this caller is to use instead. Starts relays as needed."""
        caller = (proxy.namespace, proxy.workload)
        found: dict[HostPort, HostPort] = {}
        for fault in self._faults:
            if fault.concerns(caller):
                for place in _places(world, fault):
                    if place not in found:
                        found[place] = self._relay(fault, place).place
        return found

    def _relay(self, fault: NetworkFault, place: HostPort) -> TcpFaultProxy:
        if place not in fault.relays:
            fault.relays[place] = TcpFaultProxy(place, fault.condition, self._draw)
        return fault.relays[place]

    @staticmethod
    async def close(faults: Iterable[NetworkFault], last: float = LAST) -> None:
        """End their relays; what is on its way there has ``last`` seconds to arrive."""
        await asyncio.gather(*(r.close(last) for f in faults for r in f.relays.values()))

    async def end(self) -> None:
        """The mesh ends."""
        await self.close(self._faults, last=0.0)
        self._faults.clear()


def _places(world: World, fault: NetworkFault) -> Iterator[HostPort]:
    namespace, name = fault.to
    for replica in world.replicas:
        if (replica.namespace, replica.workload) == fault.to and fault.replica in (
            "",
            replica.name,
        ):
            yield from ((port.listen.ip, port.listen.port) for port in replica.ports)
    for outside in world.outside:
        if not namespace and outside.host == name:
            yield from ((a.ip, a.port) for a in outside.ports.values())


def detoured(config: Config, detours: Mapping[HostPort, HostPort]) -> Config:
    """What a caller is to have, with other addresses for the endpoints concerned."""
    if not detours:
        return config
    return replace(
        config,
        endpoints={n: _moved_all(e, detours) for n, e in config.endpoints.items()},
        clusters={n: _cluster(c, detours) for n, c in config.clusters.items()},
    )


def _cluster(cluster: Json, detours: Mapping[HostPort, HostPort]) -> Json:
    """A cluster whose endpoints stand in itself; of others they come apart (EDS)."""
    inside = cluster.get("load_assignment")
    return {**cluster, "load_assignment": _moved_all(inside, detours)} if inside else cluster


def _moved_all(assignment: Json, detours: Mapping[HostPort, HostPort]) -> Json:
    groups = [
        {**group, "lb_endpoints": [_moved(e, detours) for e in group.get("lb_endpoints", [])]}
        for group in assignment.get("endpoints", [])
    ]
    return {**assignment, "endpoints": groups}


def _moved(endpoint: Json, detours: Mapping[HostPort, HostPort]) -> Json:
    at = endpoint["endpoint"]["address"].get("socket_address")
    to = detours.get((at["address"], at["port_value"])) if at else None
    if to is None:
        return endpoint
    address = {"socket_address": {**at, "address": to[0], "port_value": to[1]}}
    return {**endpoint, "endpoint": {**endpoint["endpoint"], "address": address}}
