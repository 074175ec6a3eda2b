"""Which callers go which detour for a fault, and what becomes of Envoy's endpoints."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

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


def _pods() -> World:
    """The same workloads in pods, with the sockets by which their border is crossed."""
    replicas = tuple(
        replace(r, ports=tuple(replace(p, pipe=f"/run/{r.name}") for p in r.ports))
        for r in WORLD.replicas
    )
    msgd = replace(WORLD.outside[0], pipes={9997: "/run/msgd"})
    return replace(WORLD, replicas=replicas, outside=(msgd,), pods=True)


class _Sandboxes:
    """The network of the pods is that of the host here."""

    def make_socket(
        self, name: str, *, bind: tuple[str, int], backlog: int | None = None
    ) -> socket.socket:
        assert name == "", "the network in which sidecars meet"
        result = socket.socket()
        result.bind(bind)
        result.setblocking(False)
        if backlog:
            result.listen(backlog)
        return result


def _network(folder: Path) -> NetworkFaults:
    sandboxes: Any = _Sandboxes()
    return NetworkFaults(sandboxes, folder)


GATEWAY = Proxy("gateway", "istio-system", "gateway", {}, "gateway")


def test_in_pods_sidecars_meet_by_address_and_the_border_is_crossed_by_sockets(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        network = _network(tmp_path)
        network.add(fault(("payments", "svcb"), only="b-1"))
        network.add(fault(("", "msgd.test")))
        sidecar, gateway = (network.detours(_pods(), p) for p in (proxy("svca"), GATEWAY))
        assert set(sidecar) == {B1, "/run/msgd"}
        assert set(gateway) == {"/run/b-1", MSGD}
        assert not isinstance(sidecar[B1], str)
        assert isinstance(gateway["/run/b-1"], str)
        await network.end()
        assert list(tmp_path.iterdir()) == [], "no socket stays behind"

    asyncio.run(scenario())


@pytest.mark.parametrize("by_socket", [False, True])
def test_a_fault_at_the_pods_passes_bytes_on_and_keeps_the_caller_s_address(
    tmp_path: Path, by_socket: bool
) -> None:
    callers: list[Any] = []

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        callers.append(writer.get_extra_info("peername"))
        writer.write(await reader.readline())
        writer.close()

    async def scenario() -> None:
        path, network = str(tmp_path / "real"), _network(tmp_path)
        server = await (
            asyncio.start_unix_server(echo, path)
            if by_socket
            else asyncio.start_server(echo, "127.0.0.1")
        )
        real = path if by_socket else server.sockets[0].getsockname()
        pod = _pods().replicas[1]
        address = Address(path=path) if by_socket else Address(*real)
        port = replace(pod.ports[0], listen=address, pipe=path)
        world = replace(_pods(), replicas=(replace(pod, ports=(port,)),))
        network.add(fault(("payments", "svcb")))
        detour = network.detours(world, GATEWAY if by_socket else proxy("svca"))[real]
        if isinstance(detour, str):
            reader, writer = await asyncio.open_unix_connection(detour)
        else:
            reader, writer = await asyncio.open_connection(*detour, local_addr=("127.0.0.77", 0))
        writer.write(b"hello\n")
        assert await reader.readline() == b"hello\n"
        writer.close()
        await network.end()
        server.close()

    asyncio.run(scenario())
    if not by_socket:
        assert callers[0][0] == "127.0.0.77"


def test_a_refused_socket_is_refused_by_the_kernel(tmp_path: Path) -> None:
    async def scenario() -> None:
        network = _network(tmp_path)
        network.add(fault(("payments", "svcb"), only="b-1", refuses=True))
        detour = network.detours(_pods(), GATEWAY)["/run/b-1"]
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_unix_connection(str(detour))
        await network.end()

    asyncio.run(scenario())


def test_a_socket_of_the_configuration_is_replaced_by_another() -> None:
    pipe = {"endpoint": {"address": {"pipe": {"path": "/run/b-1"}}}}
    config = Config(endpoints={"c": {"endpoints": [{"lb_endpoints": [pipe]}]}})
    changed: Any = apply_detours(config, {"/run/b-1": "/run/f1"}).endpoints["c"]
    (member,) = changed["endpoints"][0]["lb_endpoints"]
    assert member["endpoint"]["address"] == {"pipe": {"path": "/run/f1"}}
