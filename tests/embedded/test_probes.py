"""Probes as the kubelet's: what counts as success, and that nothing is waited for too long."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from meshproof.embedded.pod import probes
from meshproof.embedded.pod.workload import Probe
from meshproof.translate.world import Address


def ask(probe: Probe, address: Address) -> str:
    async def scenario() -> str:
        async with asyncio.timeout(300):  # far beyond the probe's own limit
            return await probes.check(probe, address, {"PATH": "/usr/bin:/bin"})

    return asyncio.run(scenario())


@contextlib.asynccontextmanager
async def answering(path: Path, status: str) -> AsyncIterator[None]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n".encode())
        writer.close()

    server = await asyncio.start_unix_server(serve, path)
    try:
        yield
    finally:
        server.close()


@pytest.mark.parametrize(
    ("status", "reason"),
    [("200 OK", ""), ("399 x", ""), ("404 x", "/ answered 404"), ("503 x", "/ answered 503")],
)
def test_an_http_probe_succeeds_from_200_to_399(tmp_path: Path, status: str, reason: str) -> None:
    async def scenario() -> str:
        path = tmp_path / "s"
        async with answering(path, status):
            return await probes.check(Probe(kind="http"), Address(path=str(path)), {})

    assert asyncio.run(scenario()) == reason


def test_an_app_that_accepts_and_never_answers_fails_its_probe(tmp_path: Path) -> None:
    """A paused process does that: the kernel accepts in its stead."""
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(path))
        silent.listen(5)
        reason = ask(Probe(kind="http", timeout=0.05), Address(path=str(path)))
    assert reason == "no answer within 0.05 s"


def test_a_command_that_hangs_fails_its_probe() -> None:
    reason = ask(Probe(kind="exec", command=("sleep", "100"), timeout=0.05), Address())
    assert reason == "no answer within 0.05 s"


def test_a_port_that_nobody_listens_at_fails_its_probe() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        address = Address(ip="127.0.0.1", port=bound.getsockname()[1])
        assert "nothing listens at 127.0.0.1:" in ask(Probe(kind="tcp"), address)
        bound.listen(1)
        assert ask(Probe(kind="tcp"), address) == ""
