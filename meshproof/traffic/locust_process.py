"""Locust in a process of its own, forked by a server that has imported it.

The server's side is ``meshproof.traffic.fork_server``.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Self

import meshproof
from meshproof.traffic.fork_server import LENGTH

LOST = 255
"""The exit code where nobody can tell it: the server, or what watches the process, was killed."""
_PATH = "PYTHONPATH"


class LocustServer:
    """Forks Locust processes; use it as a context manager. Its own process is started with the
    first of them, and imports Locust; what runs when it ends runs on, and ends by itself or with
    this process."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._output: IO[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, argv: Sequence[str], env: Mapping[str, str], log: Path) -> LocustProcess:
        """Start ``locust ARGV`` with this environment and in this process's folder; ``log`` gets
        what it prints."""
        path = [part for part in env.get(_PATH, "").split(os.pathsep) if part]
        order = {"argv": [*argv], "env": dict(env), "cwd": str(Path.cwd()), "path": path}
        stdin, alive = os.pipe()
        ours, theirs = socket.socketpair()
        with theirs, log.open("wb") as output:
            self._send(order, [stdin, output.fileno(), theirs.fileno()])
        os.close(stdin)
        return LocustProcess(ours, alive, lambda: log.write_bytes(self._last_words()))

    def _send(self, order: Mapping[str, object], fds: Sequence[int]) -> None:
        control, body = self._connect(), json.dumps(order).encode()
        with contextlib.suppress(OSError):  # the server has ended, as its connections tell
            socket.send_fds(control, [LENGTH.pack(len(body))], fds)
            control.sendall(body)

    def close(self) -> None:
        """End the server; safe to call twice."""
        if self._control and self._process and self._output:
            self._control.close()
            self._process.kill()  # it holds nothing, and may still be importing
            self._process.wait()
            self._output.close()
            self._control = self._process = self._output = None

    def _connect(self) -> socket.socket:
        if self._process and self._process.poll() is not None:
            self.close()  # it was killed, by whatever; the loads to come do not depend on it
        if self._control is None:
            self._control, theirs = socket.socketpair()
            self._output = tempfile.TemporaryFile()  # noqa: SIM115 (closed by ``close``)
            package = str(Path(meshproof.__file__).parents[1])
            path = os.pathsep.join(filter(None, (package, os.environ.get(_PATH))))
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "meshproof.traffic.fork_server", str(theirs.fileno())],
                    stdin=subprocess.DEVNULL,
                    stdout=self._output,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, _PATH: path},
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                )
        return self._control

    def _last_words(self) -> bytes:
        if self._output is None:
            return b""
        self._output.seek(0)
        return self._output.read()


class LocustProcess:
    """One of them; like ``subprocess.Popen``, as far as a load needs that."""

    def __init__(
        self, connection: socket.socket, alive: int, on_failure: Callable[[], object]
    ) -> None:
        """``alive`` is the pipe without which it ends; ``on_failure`` is called where it could not
        be started."""
        self._connection, self._alive, self._on_failure = connection, alive, on_failure
        self._text = b""
        self._returncode: int | None = None

    @property
    def pid(self) -> int:
        """Also the id of its process group; 0 where it could not be started."""
        while b"\n" not in self._text and self._read(None):
            pass
        return int(self._text.partition(b"\n")[0] or 0)

    @property
    def returncode(self) -> int | None:
        """As of the last ``poll`` or ``wait``."""
        return self._returncode

    def poll(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self._returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code. Raises subprocess.TimeoutExpired."""
        while self._returncode is None:
            if self._text.count(b"\n") == 2:
                self._returncode = int(self._text.split()[1])
            elif not self._read(timeout):
                self._returncode = LOST
                if not self._text:
                    self._on_failure()
        return self._returncode

    def terminate(self) -> None:
        """Tell it to end, if it still runs."""
        self._signal(os.kill, signal.SIGTERM)

    def close(self) -> None:
        """Kill it and all that it started, if it still runs; safe to call twice."""
        if self._alive < 0:
            return
        self._signal(os.killpg, signal.SIGKILL)
        self._signal(os.kill, signal.SIGKILL)  # its group may not exist yet
        self.wait()
        os.close(self._alive)
        self._alive = -1
        self._connection.close()

    def _signal(self, send: Callable[[int, int], None], number: int) -> None:
        if self.poll() is None and (pid := self.pid):
            with contextlib.suppress(ProcessLookupError):
                send(pid, number)

    def _read(self, timeout: float | None) -> bool:
        """Take in more; False where nothing will come any more."""
        self._connection.settimeout(timeout)
        try:
            more = self._connection.recv(64)
        except (TimeoutError, BlockingIOError):
            raise subprocess.TimeoutExpired("locust", timeout or 0) from None
        self._text += more
        return bool(more)
