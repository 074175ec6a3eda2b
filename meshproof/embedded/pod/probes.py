"""Kubernetes' probes of a local app: through its Unix socket or address, or by a command."""

from __future__ import annotations

import asyncio
import shutil
import socket
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from meshproof.embedded.local_http import LocalClient
from meshproof.embedded.pod.workload import Probe, Workload
from meshproof.embedded.sandbox import SocketFactory
from meshproof.errors import MeshproofError
from meshproof.host import relay
from meshproof.translate.world import Address

_SERVING = 1


def require_commands(workload: Workload) -> None:
    """Refuse a probe whose command is not on this machine: it would fail for ever."""
    own = (workload.readiness, workload.liveness, workload.startup, workload.pre_stop)
    for probe in (*own, *(program.readiness for program in workload.companions)):
        if probe and probe.kind == "exec" and not shutil.which(probe.command[0]):
            raise MeshproofError(
                f"{workload.deployment.title}: a probe or hook runs {probe.command[0]}, which "
                "is not on this machine; install it, or say `execProbes: false` for image "
                f"{workload.image} in the image table: then it is ready when it listens"
            )


async def check(
    probe: Probe,
    address: Address,
    env: Mapping[str, str],
    make_socket: SocketFactory | None = None,
) -> str:
    """Run a probe once. Empty when it succeeds, else why not.

    ``make_socket`` makes the sockets where ``address`` is in a pod. A command runs in this
    process's own namespaces.
    """
    if probe.kind != "exec" and address.path and not Path(address.path).exists():
        # A client would need 1 ms to find out, every 20 ms while an app starts.
        return f"nothing listens at {_format_address(address)} yet"
    try:
        return await _run(probe, address, env, make_socket)
    except TimeoutError:
        return f"no answer within {probe.timeout:g} s"
    except OSError as error:
        cause = getattr(error, "os_error", error)  # aiohttp wraps it
        if isinstance(cause, FileNotFoundError | ConnectionRefusedError):
            return f"nothing listens at {_format_address(address)} yet"
        return str(error)


async def _run(
    probe: Probe, address: Address, env: Mapping[str, str], make_socket: SocketFactory | None
) -> str:
    if probe.kind == "http":
        return await _http(probe, address, make_socket)
    if probe.kind == "exec":
        return await _exec(probe, env)
    if probe.kind == "grpc":
        return await _grpc_at(probe, address, make_socket)
    return await check_listener(address, probe.timeout, make_socket)


async def check_listener(
    address: Address, timeout: float, make_socket: SocketFactory | None = None
) -> str:
    """Whether something listens at ``address``; empty when so, else why not."""
    try:
        async with asyncio.timeout(timeout):
            if address.path:
                _, writer = await asyncio.open_unix_connection(address.path)
            elif make_socket is not None:
                _, writer = await relay.connect(make_socket, address.ip, address.port)
            else:
                _, writer = await asyncio.open_connection(address.ip, address.port)
    except (OSError, TimeoutError) as error:
        return f"nothing listens at {_format_address(address)} ({error or 'timed out'})"
    writer.close()
    return ""


def _format_address(address: Address) -> str:
    return address.path or f"{address.ip}:{address.port}"


async def _http(probe: Probe, address: Address, make_socket: SocketFactory | None) -> str:
    async with LocalClient(address, probe.timeout, make_socket) as client:
        status, _ = await client.get(probe.path, headers=dict(probe.headers))
    return "" if 200 <= status < 400 else f"{probe.path} answered {status}"


async def _grpc_at(probe: Probe, address: Address, make_socket: SocketFactory | None) -> str:
    """gRPC's client makes its own sockets, so it reaches a pod by a relay that it alone can use."""
    if make_socket is None or address.path:
        return await _grpc(probe, address)
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        path = str(Path(folder) / "grpc")
        listener.bind(path)
        listener.listen()
        to = partial(relay.connect, make_socket, address.ip, address.port)
        server = await relay.serve(listener, to)
        try:
            return await _grpc(probe, Address(path=path))
        finally:
            server.close()


async def _grpc(probe: Probe, address: Address) -> str:
    """``grpc.health.v1.Health/Check``: one string in (field 1), one number out (field 1)."""
    import grpc  # noqa: PLC0415  (slow to import, and rarely needed)
    from google.protobuf.wrappers_pb2 import Int32Value, StringValue  # noqa: PLC0415

    target = f"unix:{address.path}" if address.path else f"{address.ip}:{address.port}"
    options = (("grpc.enable_http_proxy", 0),)
    async with grpc.aio.insecure_channel(target, options=options) as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=StringValue.SerializeToString,
            response_deserializer=Int32Value.FromString,
        )
        try:
            status = await check(StringValue(value=probe.path), timeout=probe.timeout)
        except grpc.aio.AioRpcError as error:
            return f"grpc.health.v1.Health: {error.code().name}: {error.details()}"
    return "" if status.value == _SERVING else f"grpc.health.v1.Health: status {status.value}"


async def _exec(probe: Probe, env: Mapping[str, str]) -> str:
    process = await asyncio.create_subprocess_exec(
        *probe.command,
        env=dict(env),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(probe.timeout):
            code = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return "" if code == 0 else f"{probe.command[0]} ended with {code}"
