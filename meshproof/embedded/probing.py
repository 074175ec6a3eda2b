"""Kubernetes' probes against a local app: over its Unix socket, its address, or by a command."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from meshproof.embedded.http import Local
from meshproof.embedded.workload import Probe
from meshproof.translate.world import Address


async def check(probe: Probe, address: Address, env: Mapping[str, str]) -> str:
    """Ask once. Empty when the probe succeeded, else why not."""
    try:
        if probe.kind == "http":
            return await _http(probe, address)
        if probe.kind == "exec":
            return await _exec(probe, env)
        return await accepts(address, probe.timeout)
    except TimeoutError:
        return f"no answer within {probe.timeout:g} s"
    except OSError as error:
        return str(error)


async def accepts(address: Address, timeout: float) -> str:
    """Whether something listens at ``address``; empty when so, else why not."""
    try:
        async with asyncio.timeout(timeout):
            if address.path:
                _, writer = await asyncio.open_unix_connection(address.path)
            else:
                _, writer = await asyncio.open_connection(address.ip, address.port)
    except (OSError, TimeoutError) as error:
        where = address.path or f"{address.ip}:{address.port}"
        return f"nothing listens at {where} ({error or 'timed out'})"
    writer.close()
    return ""


async def _http(probe: Probe, address: Address) -> str:
    async with Local(address, timeout=probe.timeout) as client:
        status, _ = await client.get(probe.path, headers=dict(probe.headers))
    return "" if 200 <= status < 400 else f"{probe.path} answered {status}"


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
