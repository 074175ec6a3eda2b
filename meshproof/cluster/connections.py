"""Held connections to one cluster, where a process for each question would cost more than its
answer: ``kubectl proxy`` for the API server, and for each pod a ``kubectl port-forward`` to its
Envoy and a ``kubectl exec`` for requests from its app."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import socket
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from meshproof.cluster.pod_dialog import Open, PodDialogs
from meshproof.cluster.remedies import API_SERVER_LOST
from meshproof.errors import MeshproofError
from meshproof.wait import until

ADMIN_PORT = 15000
"""Envoy's, on the pod's loopback."""
_FORWARDED = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+) -> ")
_START_LIMIT = 30.0
_READ_LIMIT = 120.0
_FORWARDS = 24
"""Port-forwards that are held, each a process of some 50 MB; the least recently used one ends."""


class Process(Protocol):
    """``commands.Background``."""

    def poll(self) -> int | None: ...

    def terminate(self) -> None: ...

    def wait(self, timeout: float | None = None) -> int: ...


class Start(Protocol):
    """``commands.Runner.start``."""

    def __call__(
        self, argv: Sequence[str], doing: str, *, output: Path | None = None
    ) -> Process: ...


class ApiError(MeshproofError):
    """The API server answered with another status than 200, or kubectl's proxy for it: 500 and
    plain text where it does not answer."""

    def __init__(self, path: str, status: int, body: bytes) -> None:
        self.status = status
        lost = f"\n  {API_SERVER_LOST}" if status == 500 and not body.startswith(b"{") else ""
        super().__init__(f"GET {path}: HTTP {status}: {_message(body)}{lost}")


class ConnectionLost(MeshproofError):
    """Nobody listens at the other end of a connection, or no more: an Envoy that starts again."""


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_READ_LIMIT)
        self._path = str(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class _Server:
    """A kubectl process, and connections to it that are used again."""

    def __init__(self, process: Process, connect: Callable[[], http.client.HTTPConnection]) -> None:
        self.process = process
        self._connect = connect
        self._idle: list[http.client.HTTPConnection] = []

    def request(self, method: str, path: str) -> tuple[int, bytes]:
        """Raises OSError or HTTPException."""
        with self._connection() as connection:
            connection.request(method, path)
            response = connection.getresponse()
            return response.status, response.read()

    @contextmanager
    def _connection(self) -> Iterator[http.client.HTTPConnection]:
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._connect()
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()
        self.process.terminate()
        self.process.wait(10)


class Connections:
    """Callable from any thread. ``close`` ends every process."""

    def __init__(self, access: Sequence[str], folder: Path, start: Start, open_: Open) -> None:
        """``folder`` is created for the processes' sockets and output, and removed by ``close``;
        its path is short (a socket's may have 107 bytes)."""
        self._access = tuple(access)
        self._start = start
        self._folder = folder
        folder.mkdir(mode=0o700)
        self.dialogs = PodDialogs(access, open_)
        self._servers: OrderedDict[str, _Server] = OrderedDict()
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()
        self._count = 0

    def api(self, path: str) -> bytes:
        """A GET of the API server. Raises ApiError, MeshproofError."""
        status, body = self._request("api", self._start_proxy, "GET", path)
        if status != http.client.OK:
            raise ApiError(path, status, body)
        return body

    def admin(self, namespace: str, pod: str, path: str, *, method: str = "GET") -> str:
        """The response of a sidecar's Envoy admin interface. Raises MeshproofError, ConnectionLost
        where that Envoy does not run."""
        _status, body = self._request(
            f"{namespace}/{pod}", lambda: self._start_forward(namespace, pod), method, f"/{path}"
        )
        return body.decode(errors="replace")

    def close(self) -> None:
        """Safe to repeat."""
        self.dialogs.close()
        with self._lock:
            servers = [server for _key, server in self._servers.items()]
            self._servers.clear()
        for server in servers:
            server.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    # -- one request -----------------------------------------------------------------------------

    def _request(
        self, key: str, start: Callable[[], _Server], method: str, path: str
    ) -> tuple[int, bytes]:
        """On a connection that was lost it is sent again, once, by a new process."""
        for last in (False, True):
            server = self._server(key, start)
            try:
                return server.request(method, path)
            except (OSError, http.client.HTTPException) as error:
                self._drop(key, server)
                if last:
                    raise ConnectionLost(
                        f"the connection to {key} was lost: {error or type(error).__name__}"
                    ) from None
        raise AssertionError("not reached")

    def _server(self, key: str, start: Callable[[], _Server]) -> _Server:
        with self._lock:
            own = self._locks.setdefault(key, threading.Lock())
        with own:  # one process a key, whoever asks first
            with self._lock:
                server = self._servers.get(key)
                if server is not None and server.process.poll() is None:
                    self._servers.move_to_end(key)
                    return server
            if server is not None:
                server.close()
            server = start()
            with self._lock:
                self._servers[key] = server
                oldest = next(iter(self._servers)) if len(self._servers) > _FORWARDS else ""
                surplus = self._servers.pop(oldest) if oldest else None
        if surplus is not None:
            surplus.close()
        return server

    def _drop(self, key: str, server: _Server) -> None:
        with self._lock:
            if self._servers.get(key) is server:
                del self._servers[key]
        server.close()

    # -- processes -------------------------------------------------------------------------------

    def _start_proxy(self) -> _Server:
        """It may read and nothing else, through a socket that only this user reaches."""
        name, output = self._next()
        path = self._folder / name
        process = self._start(
            [
                "kubectl", *self._access, "proxy", "--unix-socket", str(path),
                "--reject-methods", "^(POST|PUT|PATCH|DELETE)$",
            ],
            "connecting to the API server", output=output,
        )  # fmt: skip
        self._wait(process, output, path.exists, "the API server")
        return _Server(process, lambda: _UnixConnection(path))

    def _start_forward(self, namespace: str, pod: str) -> _Server:
        _name, output = self._next()
        process = self._start(
            [
                "kubectl", *self._access, "-n", namespace, "port-forward",
                "--address", "127.0.0.1", f"pod/{pod}", f":{ADMIN_PORT}",
            ],
            f"connecting to the sidecar of {namespace}/{pod}", output=output,
        )  # fmt: skip
        target = f"the sidecar of {namespace}/{pod}"
        self._wait(process, output, lambda: bool(_port(output)), target)
        port = _port(output)
        return _Server(
            process, lambda: http.client.HTTPConnection("127.0.0.1", port, timeout=_READ_LIMIT)
        )

    def _next(self) -> tuple[str, Path]:
        with self._lock:
            self._count += 1
            return f"s{self._count}", self._folder / f"s{self._count}.log"

    def _wait(self, process: Process, output: Path, ready: Callable[[], bool], target: str) -> None:
        def reason() -> str:
            if ready():
                return ""
            if process.poll() is not None:
                raise MeshproofError(f"connecting to {target}: {output.read_text().strip()}")
            return output.read_text().strip() or "kubectl says nothing"

        until(reason, f"waiting for a connection to {target}", within=_START_LIMIT, every=0.02)


def _port(output: Path) -> int:
    match = _FORWARDED.search(output.read_text())
    return int(match.group(1)) if match else 0


def _message(body: bytes) -> str:
    """Kubernetes answers with a Status, whose message is for people."""
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return body[:200].decode(errors="replace").strip()
