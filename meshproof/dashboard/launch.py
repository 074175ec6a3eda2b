"""A dashboard as a part of a mesh: a process of its own, which ends with the one that started it.

The caller makes the socket and the token, so that the address is known at once and nobody waits:
whoever connects early is answered once the process is there. Its end: its standard input is
closed, which the kernel does also for a caller that is killed. The run id in its environment lets
the mesh's supervisor find it in any case.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from meshproof.dashboard.serve import address, listener, new_token, serve
from meshproof.host.process_identity import RUN_ID_VARIABLE

_PATIENCE = 3.0


@contextlib.contextmanager
def beside(name: str, run_id: str, rules: Path, log: Path, port: int = 0) -> Iterator[str]:
    """A dashboard of the mesh ``name`` while the block runs; gives its address.

    Raises UsageError where the port is taken. What the process says goes to ``log``.
    """
    token = new_token()
    with listener(port) as sock, log.open("ab") as said:
        command = [
            sys.executable,
            "-m",
            "meshproof.dashboard",
            name,
            str(sock.fileno()),
            str(rules),
        ]
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=said,
            pass_fds=(sock.fileno(),),
            start_new_session=True,
            env={**os.environ, RUN_ID_VARIABLE: run_id},
        )
        where = address(sock, token)
    assert process.stdin is not None
    try:
        with contextlib.suppress(BrokenPipeError):  # it ended at once, and the log says why
            process.stdin.write(f"{token}\n".encode())
            process.stdin.flush()
        yield where
    finally:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def child(name: str, fd: int, rules: Path) -> None:
    """The process itself: its first line of input is the token, the input's end is its own."""
    import socket  # noqa: PLC0415

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    token = sys.stdin.readline().strip()
    if not token:
        return
    with socket.socket(fileno=fd) as sock:
        asyncio.run(serve(name, sock, token, rules, _input_closed))


async def _input_closed() -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()
