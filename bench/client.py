"""The load client, a process of its own: ``python -m bench.client SETTINGS-AS-JSON``.

A few kept-alive connections; each sends its next request as soon as it was answered. One loop
over raw sockets costs 0.05 ms of processor time a request on an echo (measured). On a machine
where client and services share the cores, a client's cost is on both sides of every comparison
and draws the ratio towards one, so it has to be small. What Locust is for, records of what users
saw, is the proofs' business.

It ends after ``seconds``, or when its standard input closes, which also happens when its parent
dies. Then it prints what it saw. Times are of CLOCK_MONOTONIC, which all processes share.
"""

from __future__ import annotations

import json
import re
import selectors
import socket
import sys
import time
from dataclasses import dataclass, field
from typing import Any

_LIMIT = 30.0
"""Seconds without any answer after which the client gives up on everything."""


@dataclass(frozen=True, slots=True)
class Settings:
    ip: str
    port: int
    path: str = "/"
    connections: int = 1
    seconds: float = 0.0
    """0: until standard input closes."""
    run_id: str = "bench"
    expect: str = ""
    """What a good answer's body holds."""
    mark: str = ""
    """A regular expression with one group: what is noted of each answer."""


@dataclass(slots=True)
class Seen:
    """A column each: when it was sent, seconds to the answer, HTTP status (0: none), whether it
    was good, and its mark."""

    sent: list[float] = field(default_factory=list)
    took: list[float] = field(default_factory=list)
    status: list[int] = field(default_factory=list)
    good: list[bool] = field(default_factory=list)
    mark: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


class Connection:
    """One kept-alive connection; opened again, and counted as failed, when it breaks."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._open()

    def _open(self) -> None:
        settings = self._client.settings
        self.socket = socket.create_connection((settings.ip, settings.port), timeout=_LIMIT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._got = b""
        self.waiting = False

    def send(self) -> None:
        self._sent, self.waiting = time.monotonic(), True
        self.socket.sendall(self._client.request)

    def receive(self) -> bool:
        """Take what has come; True when the answer is whole."""
        try:
            more = self.socket.recv(65536)
        except OSError:
            more = b""
        if not more:
            self._done(0, b"")
            self._client.selector.unregister(self.socket)
            self.socket.close()
            self._open()
            self._client.watch(self)
            return True
        self._got += more
        head, separator, body = self._got.partition(b"\r\n\r\n")
        if not separator or len(body) < _length(head):
            return False
        self._got = b""
        self._done(int(head[9:12]), body)
        return True

    def _done(self, status: int, body: bytes) -> None:
        self.waiting = False
        self._client.note(self._sent, status, body)


def _length(head: bytes) -> int:
    match = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    if match is None:
        raise SystemExit(f"this client reads answers with a Content-Length only: {head!r}")
    return int(match[1])


class Client:
    def __init__(self, settings: Settings) -> None:
        self.settings, self.seen = settings, Seen()
        self.request = (
            f"GET {settings.path} HTTP/1.1\r\nhost: {settings.ip}\r\n"
            f"x-run-id: {settings.run_id}\r\n\r\n"
        ).encode()
        self.selector = selectors.DefaultSelector()
        self._expect = settings.expect.encode()
        self._mark = re.compile(settings.mark.encode()) if settings.mark else None

    def watch(self, connection: Connection) -> None:
        self.selector.register(connection.socket, selectors.EVENT_READ, connection)

    def note(self, sent: float, status: int, body: bytes) -> None:
        seen = self.seen
        seen.sent.append(sent)
        seen.took.append(time.monotonic() - sent)
        seen.status.append(status)
        seen.good.append(status == 200 and self._expect in body)
        mark = self._mark.search(body) if self._mark else None
        seen.mark.append(mark[1].decode() if mark else "")

    def run(self) -> None:
        """Load until the time is over; requests on their way are still answered and noted."""
        connections = [Connection(self) for _ in range(self.settings.connections)]
        self.selector.register(sys.stdin.fileno(), selectors.EVENT_READ, None)
        seconds = self.settings.seconds
        until = time.monotonic() + seconds if seconds else float("inf")
        for connection in connections:
            self.watch(connection)
            connection.send()
        going = True
        while going or any(c.waiting for c in connections):
            events = self.selector.select(_LIMIT)
            if not events:
                raise SystemExit(f"no answer within {_LIMIT:g} s")
            going = going and time.monotonic() < until
            for key, _ in events:
                if key.data is None:  # standard input closed
                    going = False
                    self.selector.unregister(key.fd)
                elif key.data.receive() and going:
                    key.data.send()


def main() -> None:
    client = Client(Settings(**json.loads(sys.argv[1])))
    client.run()
    json.dump(client.seen.as_dict(), sys.stdout)


if __name__ == "__main__":
    main()
