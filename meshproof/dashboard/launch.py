"""Runs the dashboard beside a mesh, as a process of its own that ends with its caller.

The caller makes the socket and the token, so that the address is known at once: an early browser
is answered as soon as the process is up. The process ends when its standard input is closed, which
the kernel does for a killed caller as well. The run id in its environment lets the mesh's
supervisor find it in any case.
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

from meshproof.dashboard.serve import listen, new_token, page_url, serve
from meshproof.host.process_identity import RUN_ID_VARIABLE

_END_LIMIT = 3.0


@contextlib.contextmanager
def run_beside(name: str, run_id: str, rules: Path, log: Path, port: int = 0) -> Iterator[str]:
    """A dashboard of the mesh ``name`` while the block runs; yields its address.

    The process writes to ``log``. Raises UsageError if the port is taken.
    """
    token = new_token()
    with listen(port) as sock, log.open("ab") as output:
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
            stdout=output,
            stderr=output,
            pass_fds=(sock.fileno(),),
            start_new_session=True,
            env={**os.environ, RUN_ID_VARIABLE: run_id},
        )
        url = page_url(sock, token)
    assert process.stdin is not None
    try:
        with contextlib.suppress(BrokenPipeError):  # it ended at once; the log says why
            process.stdin.write(f"{token}\n".encode())
            process.stdin.flush()
        yield url
    finally:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        try:
            process.wait(_END_LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def run_child(name: str, fd: int, rules: Path) -> None:
    """The process itself. The first line of its input is the token; it ends when its input does."""
    import socket  # noqa: PLC0415

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    token = sys.stdin.readline().strip()
    if not token:
        return
    with socket.socket(fileno=fd) as sock:
        asyncio.run(serve(name, sock, token, rules, _wait_for_end_of_input))


async def _wait_for_end_of_input() -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()
