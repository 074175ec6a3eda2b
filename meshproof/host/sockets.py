"""Listening TCP sockets of this machine: ports in use, apps that bind every address."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import psutil

from meshproof.errors import MeshproofError
from meshproof.host.addresses import can_bind

_ANY = ("0.0.0.0", "::")  # noqa: S104  (looked for, never bound)


@dataclass(frozen=True, slots=True)
class Listener:
    """A listening TCP socket of this network namespace."""

    ip: str
    port: int
    pid: int | None
    """The process that holds it, the first where several do; None where that is another user's."""

    @property
    def on_every_address(self) -> bool:
        return self.ip in _ANY

    def __str__(self) -> str:
        return f"[{self.ip}]:{self.port}" if ":" in self.ip else f"{self.ip}:{self.port}"


def find_listeners() -> list[Listener]:
    """Every listening TCP socket.

    79 ms of processor time among 150 processes and 5,000 sockets, where reading /proc for the
    processes of interest alone took 47 ms: a mesh asks once when replicas start, which takes
    seconds.
    """
    return [
        Listener(socket.laddr.ip, socket.laddr.port, socket.pid)
        for socket in psutil.net_connections("tcp")
        if socket.laddr and socket.status == psutil.CONN_LISTEN
    ]


def require_free(ip: str, ports: Iterable[int]) -> None:
    """Raise MeshproofError that names each of ``ports`` that is taken on ``ip``, and by whom."""
    occupied = [port for port in ports if not can_bind(ip, port)]
    if not occupied:
        return
    holders = {x.port: x for x in find_listeners() if x.on_every_address or x.ip == ip}
    listed = [_describe(holders[p]) if p in holders else f"{ip}:{p}" for p in occupied]
    raise MeshproofError(
        f"ports that every sidecar needs are taken: {'; '.join(listed)}; end that process, or let "
        "it listen on one address (127.0.0.1, say) instead of on all"
    )


def _describe(listener: Listener) -> str:
    """``0.0.0.0:80 by process 12 (nginx -g ...)``."""
    if listener.pid is None:
        return f"{listener} by a process of another user"
    try:
        command = " ".join(psutil.Process(listener.pid).cmdline())
    except psutil.Error:  # it has ended meanwhile
        command = ""
    return f"{listener} by process {listener.pid} ({command[:80]})"


def find_wildcard_listeners(sessions: Collection[int]) -> dict[int, list[Listener]]:
    """What the processes of some sessions (an app and its workers are one) listen to on every
    address of this machine, by session."""
    result: dict[int, list[Listener]] = {}
    for listener in sorted(find_listeners(), key=lambda x: (x.port, x.ip)):
        if listener.on_every_address and (session := _session_of(listener.pid)) in sessions:
            result.setdefault(session, []).append(listener)
    return result


def _session_of(pid: int | None) -> int:
    """0 where it has ended or is not known."""
    try:
        return 0 if pid is None else os.getsid(pid)
    except OSError:
        return 0
