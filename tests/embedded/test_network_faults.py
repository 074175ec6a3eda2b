"""Which callers go which detour for a fault, and what becomes of Envoy's endpoints."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from meshproof.embedded.network_faults import (
    NetworkFault,
    NetworkFaults,
    apply_detours,
)
from meshproof.host.tcp_fault_proxy import Impairment
from meshproof.translate.world import (
    Address,
    Config,
    ContainerPort,
    Outside,
    Proxy,
    Replica,
    World,
)


def replica(name: str, workload: str, ip: str) -> Replica:
    port = ContainerPort("http", 8080, Address(ip, 8080), Address(path="/app"))
    return Replica(name, "payments", workload, {}, workload, ip, (port,), ready=True)


WORLD = World(
    replicas=(
        replica("a-1", "svca", "127.0.0.2"),
        replica("b-1", "svcb", "127.0.0.3"),
        replica("b-2", "svcb", "127.0.0.4"),
    ),
    outside=(Outside("msgd.test", {9997: Address("127.0.0.9", 9997)}),),
)
B1, B2, MSGD = ("127.0.0.3", 8080), ("127.0.0.4", 8080), ("127.0.0.9", 9997)


def proxy(workload: str) -> Proxy:
    return Proxy("sidecar", "payments", workload, {}, workload)


def fault(to: tuple[str, str], source: str = "", only: str = "", **how: Any) -> NetworkFault:
    caller = ("payments", source) if source else None
    return NetworkFault("latency", caller, to, only, Impairment(delay=0.01, **how))


def in_loop(work: Callable[[NetworkFaults], None]) -> None:
    async def whole() -> None:
        network = NetworkFaults()
        try:
            work(network)
        finally:
            await network.end()

    asyncio.run(whole())


def test_only_the_caller_named_goes_the_detour() -> None:
    def work(network: NetworkFaults) -> None:
        network.add(fault(("payments", "svcb"), source="svca"))
        assert set(network.detours(WORLD, proxy("svca"))) == {B1, B2}
        assert network.detours(WORLD, proxy("svcc")) == {}

    in_loop(work)


def test_one_replica_or_an_outside_host_can_be_meant() -> None:
    def work(network: NetworkFaults) -> None:
        network.add(fault(("payments", "svcb"), only="b-2"))
        network.add(fault(("", "msgd.test")))
        assert set(network.detours(WORLD, proxy("svcc"))) == {B2, MSGD}

    in_loop(work)


def test_a_detour_stays_the_same_until_it_is_removed() -> None:
    def work(network: NetworkFaults) -> None:
        first = fault(("payments", "svcb"))
        network.add(first)
        detours = network.detours(WORLD, proxy("svca"))
        assert network.detours(WORLD, proxy("svca")) == detours
        newer = fault(("payments", "svcb"))
        network.add(newer)
        assert network.detours(WORLD, proxy("svca")) != detours
        network.remove(newer)
        assert network.detours(WORLD, proxy("svca")) == detours
        assert network.select(("payments", "svcb")) == [first]
        assert network.select(("payments", "svca")) == []
        assert network.select(None) == [first]
        network.add(newer)  # to be ended with the others

    in_loop(work)


def assignment(*places: tuple[str, int]) -> Any:
    members = [
        {
            "endpoint": {"address": {"socket_address": {"address": ip, "port_value": port}}},
            "load_balancing_weight": 1,
        }
        for ip, port in places
    ]
    return {"cluster_name": "c", "endpoints": [{"lb_endpoints": members}]}


def test_endpoints_move_wherever_envoy_reads_them_and_others_stay() -> None:
    there = ("127.0.0.1", 4000)
    static: Any = {"name": "s", "type": "STATIC", "load_assignment": assignment(MSGD)}
    by_eds: Any = {"name": "e", "type": "EDS"}
    config = Config(
        clusters={"s": static, "e": by_eds}, endpoints={"e": assignment(B1, B2), "n": {}}
    )
    moved = apply_detours(config, {B1: there, MSGD: there})
    assert moved.endpoints["e"] == assignment(there, B2)
    assert moved.clusters["s"] == {**static, "load_assignment": assignment(there)}
    assert moved.clusters["e"] == by_eds
    assert config.endpoints["e"] == assignment(B1, B2)
    assert apply_detours(config, {}) is config
