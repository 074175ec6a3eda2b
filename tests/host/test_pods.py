"""Pods: namespaces of their own, every connection captured, no rights beyond a container's."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
import struct
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from meshproof.errors import MeshproofError
from meshproof.host.pod_support import PodsUnavailable
from meshproof.host.pods import MESH, Pods
from meshproof.host.processes import find_run
from tests.host.conftest import A, B, PodScript, Run, Script, output


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-I", "-S", "-c", code)


async def accept(listener: socket.socket) -> tuple[socket.socket, Any]:
    return await asyncio.wait_for(asyncio.get_running_loop().sock_accept(listener), 300)


CONNECT = "import socket; socket.create_connection({address!r}, 300); print('connected')"


def original_destination(connection: socket.socket) -> tuple[str, int]:
    raw = connection.getsockopt(socket.SOL_IP, 80, 16)  # SO_ORIGINAL_DST
    _, port, address = struct.unpack("!HH4s8x", raw)
    return socket.inet_ntoa(address), port


def test_a_connection_to_any_address_reaches_its_own_sidecar(
    in_pods: Callable[[PodScript], Run],
) -> None:
    async def script(run: Run, pods: Pods) -> None:
        for number, address in enumerate([("10.100.35.27", 9997), ("127.250.3.4", 80), (B, 8080)]):
            with pods.make_socket("a", bind=("127.0.0.1", 15001), backlog=5) as sidecar:
                program = python(CONNECT.format(address=address))
                client = asyncio.create_task(output(run, f"c{number}", *program, pod="a"))
                connection, _ = await accept(sidecar)
                with connection:
                    assert original_destination(connection) == address
                assert await client == "connected\n"

    in_pods(script)


def test_a_pods_localhost_and_its_own_address_are_not_captured(
    in_pods: Callable[[PodScript], Run],
) -> None:
    async def script(run: Run, pods: Pods) -> None:
        with pods.make_socket("a", bind=("127.0.0.1", 15001), backlog=5):
            for number, ip in enumerate(["127.0.0.1", "127.0.0.6", A]):
                program = python(CONNECT.format(address=(ip, 8080)))
                assert "ConnectionRefusedError" in await output(
                    run, f"c{number}", *program, pod="a"
                )

    in_pods(script)


def test_a_query_to_any_name_server_reaches_the_pods_own(
    in_pods: Callable[[PodScript], Run],
) -> None:
    code = (
        "import socket; s = socket.socket(type=socket.SOCK_DGRAM); s.settimeout(300)\n"
        "s.sendto(b'query', ('8.8.8.8', 53)); print(s.recvfrom(99))"
    )

    async def script(run: Run, pods: Pods) -> None:
        with pods.make_socket("a", "udp", bind=("127.0.0.1", 15053)) as server:
            client = asyncio.create_task(output(run, "client", *python(code), pod="a"))
            loop = asyncio.get_running_loop()
            data, peer = await asyncio.wait_for(loop.sock_recvfrom(server, 99), 300)
            await loop.sock_sendto(server, data.upper(), peer)
            assert await client == "(b'QUERY', ('8.8.8.8', 53))\n"

    in_pods(script)


def test_two_pods_listen_on_the_same_port_of_every_address(
    in_pods: Callable[[PodScript], Run],
) -> None:
    code = (
        "import socket; s = socket.create_server(('0.0.0.0', 80)); print('listens', flush=True)\n"
        "c, _ = s.accept(); c.sendall({name!r}); c.close()"
    )

    async def script(run: Run, pods: Pods) -> None:
        loop = asyncio.get_running_loop()
        for name in ("a", "b"):
            await run.supervisor.spawn(
                run.spec(f"app-{name}", *python(code.format(name=name.encode())), pod=name)
            )
        for name, ip in (("a", A), ("b", B)):
            await run.wait(partial(run.log, f"app-{name}"), "it listens")
            with pods.make_socket(name) as client:
                await loop.sock_connect(client, (ip, 80))
                assert await loop.sock_recv(client, 9) == name.encode()

    in_pods(script)


async def call(pods: Pods, to: tuple[str, int], listener: socket.socket) -> tuple[str, int]:
    """Connect from pod B's address in the mesh's network; where the connection was going, as its
    listener sees it. Both ends see the caller's address, and that of their peer."""
    with pods.make_socket(MESH, bind=(B, 0)) as client:
        await asyncio.get_running_loop().sock_connect(client, to)
        connection, peer = await accept(listener)
        with connection:
            assert (peer[0], client.getpeername()) == (B, to)
            return original_destination(connection)


def test_what_no_listener_of_a_pod_takes_reaches_its_catch_all(
    in_pods: Callable[[PodScript], Run],
) -> None:
    async def script(_run: Run, pods: Pods) -> None:
        with (
            pods.make_socket(MESH, bind=(A, 8080), backlog=5) as own,
            pods.make_socket(MESH, bind=(A, 15006), backlog=5) as catch_all,
        ):
            pods.change_listeners([(A, 8080), (A, 15006)], [])
            assert await call(pods, (A, 7070), catch_all) == (A, 7070)
            assert await call(pods, (A, 15006), catch_all) == (A, 15006)
            with pods.make_socket(MESH, bind=(B, 0)) as client:
                await asyncio.get_running_loop().sock_connect(client, (A, 8080))
                (await accept(own))[0].close()
            pods.change_listeners([(A, 7070)], [(A, 8080)])
            assert await call(pods, (A, 8080), catch_all) == (A, 8080)
            with pods.make_socket(MESH) as client, pytest.raises(ConnectionRefusedError):
                await asyncio.get_running_loop().sock_connect(client, (A, 7070))

    in_pods(script)


def test_thousands_of_listeners_change_at_once_or_not_at_all(
    in_pods: Callable[[PodScript], Run],
) -> None:
    async def script(_run: Run, pods: Pods) -> None:
        many = [(A, port) for port in range(20000, 22500)]
        with pods.make_socket(MESH, bind=(A, 15006), backlog=5) as catch_all:
            pods.change_listeners([(A, 15006), *many], [])
            with pytest.raises(MeshproofError, match="were not changed"):
                pods.change_listeners([], [many[0], (A, 1)])
            with pods.make_socket(MESH) as client, pytest.raises(ConnectionRefusedError):
                await asyncio.get_running_loop().sock_connect(client, many[0])
            pods.change_listeners([], many)
            assert await call(pods, many[-1], catch_all) == many[-1]

    in_pods(script)


def test_an_address_without_a_catch_all_refuses_other_ports(
    in_pods: Callable[[PodScript], Run],
) -> None:
    async def script(_run: Run, pods: Pods) -> None:
        with pods.make_socket(MESH, bind=(A, 15006), backlog=5):
            pods.change_listeners([(A, 8080)], [])
            with pods.make_socket(MESH) as client, pytest.raises(ConnectionRefusedError):
                await asyncio.get_running_loop().sock_connect(client, (A, 7070))

    in_pods(script)


def test_an_app_in_a_pod_is_out_of_reach_from_this_machine(
    in_pods: Callable[[PodScript], Run],
) -> None:
    async def script(run: Run, pods: Pods) -> None:
        with pods.make_socket("a", bind=("0.0.0.0", 8080), backlog=5):
            for ip in (A, "127.0.0.1"):
                with pytest.raises(ConnectionRefusedError):
                    socket.create_connection((ip, 8080), 5)
            with pods.make_socket("b") as other, pytest.raises(ConnectionRefusedError):
                await asyncio.get_running_loop().sock_connect(other, (A, 8080))

    in_pods(script)


STATUS = ("grep", "-E", "^(CapPrm|CapBnd|NoNewPrivs)", "/proc/self/status")


def parse_status(text: str) -> dict[str, str]:
    return dict(line.split(":\t") for line in text.splitlines())


def test_an_app_has_a_containers_rights_and_a_sidecar_one_more(
    in_pods: Callable[[PodScript], Run],
) -> None:
    async def script(run: Run, _pods: Pods) -> None:
        forbidden = 1 << 21 | 1 << 12 | 1 << 19  # sys_admin, net_admin, sys_ptrace
        app = parse_status(await output(run, "app", *STATUS, pod="a"))
        assert app["NoNewPrivs"] == "1"
        assert int(app["CapBnd"], 16) & forbidden == 0
        assert int(app["CapPrm"], 16) == 0 or os.geteuid() == 0
        sidecar = parse_status(await output(run, "sidecar", *STATUS, pod="a", sidecar=True))
        assert int(sidecar["CapPrm"], 16) == int(sidecar["CapBnd"], 16) == 1 << 21
        any_source = await output(run, "relay", *STATUS, pod="a", sidecar=True, transparent=True)
        assert int(parse_status(any_source)["CapPrm"], 16) == 1 << 21 | 1 << 13

    in_pods(script)


def test_a_sidecar_opens_sockets_in_the_meshs_network(in_pods: Callable[[PodScript], Run]) -> None:
    code = (
        "import ctypes, os, socket; own = os.open('/proc/self/ns/net', 0)\n"
        "for handle in (100, own):\n"
        "    assert ctypes.CDLL(None).setns(handle, 0) == 0\n"
        f"    if handle == 100: server = socket.create_server(('{A}', 8080))\n"
        "print('listens', flush=True); c, peer = server.accept(); c.sendall(peer[0].encode())"
    )

    async def script(run: Run, pods: Pods) -> None:
        await run.supervisor.spawn(run.spec("sidecar", *python(code), pod="a", sidecar=True))
        await run.wait(lambda: run.log("sidecar"), "it listens")
        with pods.make_socket(MESH, bind=(B, 0)) as client:
            loop = asyncio.get_running_loop()
            await loop.sock_connect(client, (A, 8080))
            assert await loop.sock_recv(client, 99) == B.encode()

    in_pods(script)


def test_a_pod_has_its_own_files_and_host_name(supervised: Callable[[Script], Run]) -> None:
    async def script(run: Run) -> None:
        pods = Pods(run.supervisor)
        try:
            await pods.open()
        except PodsUnavailable as error:
            pytest.skip(f"no pods on this machine: {error}")
        hosts = run.folder / "hosts"
        hosts.write_text("127.0.0.1 of-the-pod\n")
        places = {"/etc/hosts": str(hosts), "/not/on/this/machine": str(hosts)}
        await pods.add("a", A, "web-0", places)
        seen = await output(
            run, "see", "sh", "-c", "hostname; cat /etc/hosts; pwd", pod="a", cwd="/tmp"
        )
        assert seen == "web-0\n127.0.0.1 of-the-pod\n/tmp\n"
        assert "of-the-pod" not in Path("/etc/hosts").read_text()

    supervised(script)


def test_a_process_for_a_pod_that_is_not_there_is_refused(
    in_pods: Callable[[PodScript], Run],
) -> None:
    async def script(run: Run, pods: Pods) -> None:
        pods.remove("b")
        with pytest.raises(MeshproofError, match="there is no pod b"):
            await run.supervisor.spawn(run.spec("x", "true", pod="b"))
        with pytest.raises(OSError, match="no pod 'b'"):
            pods.make_socket("b")
        with (
            pods.make_socket("a", bind=(A, 80), backlog=1),
            pytest.raises(OSError, match=os.strerror(errno.EADDRINUSE)),
        ):
            pods.make_socket("a", bind=(A, 80), backlog=1)

    in_pods(script)


def test_nothing_in_a_pod_outlives_a_supervisor_that_is_killed(
    in_pods: Callable[[PodScript], Run],
) -> None:
    async def script(run: Run, pods: Pods) -> None:
        for sidecar in (False, True):
            await run.supervisor.spawn(
                run.spec(f"sleep-{sidecar}", "sleep", "1000", pod="a", sidecar=sidecar)
            )
        os.kill(run.supervisor.pid, signal.SIGKILL)
        await run.wait(lambda: run.lost, "the loss is noticed")
        await run.wait(lambda: not find_run(run.run_id), "every process has ended")
        with pytest.raises(MeshproofError, match="pods have ended"):
            pods.make_socket("a")

    in_pods(script)
