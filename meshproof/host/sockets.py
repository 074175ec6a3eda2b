"""Who listens where on this machine, by /proc: for ports that are taken, and apps that bind all.

Linux names every listening socket in /proc/net/tcp and tcp6 by inode, and every process's sockets
by the links in /proc/PID/fd (readable for one's own processes, and for root).
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from meshproof.errors import MeshproofError
from meshproof.host import procfs
from meshproof.host.addresses import can_bind

_LISTEN = "0A"
_ANY = ("0.0.0.0", "::")  # noqa: S104  (looked for, never bound)


@dataclass(frozen=True, slots=True)
class Listener:
    """A listening TCP socket of this network namespace."""

    ip: str
    port: int
    inode: int

    @property
    def everywhere(self) -> bool:
        return self.ip in _ANY

    def __str__(self) -> str:
        return f"[{self.ip}]:{self.port}" if ":" in self.ip else f"{self.ip}:{self.port}"


def listening() -> list[Listener]:
    """Every listening TCP socket."""
    return [
        found
        for name, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6))
        for found in _table(Path("/proc/net") / name, family)
    ]


def _table(path: Path, family: socket.AddressFamily) -> Iterator[Listener]:
    with contextlib.suppress(OSError):  # no IPv6 here
        for line in path.read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            if fields[3] == _LISTEN:
                ip, _, port = fields[1].partition(":")
                yield Listener(_ip(ip, family), int(port, 16), int(fields[9]))


def _ip(text: str, family: socket.AddressFamily) -> str:
    """The kernel prints an address as 32-bit words in the machine's own byte order."""
    words = (text[i : i + 8] for i in range(0, len(text), 8))
    packed = b"".join(int(word, 16).to_bytes(4, sys.byteorder) for word in words)
    return socket.inet_ntop(family, packed)


def sockets_of(pid: int) -> set[int]:
    """The inodes of a process's sockets; empty where it is not ours to see."""
    found = set()
    with contextlib.suppress(OSError):
        for entry in os.scandir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                target = os.readlink(entry.path)  # noqa: PTH115  (one call a descriptor)
                if target.startswith("socket:["):
                    found.add(int(target[8:-1]))
    return found


def holder(inode: int) -> str:
    """``process 12 (nginx -g ...)``, or that it cannot be seen."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and inode in sockets_of(int(entry.name)):
            command = procfs.command_of(int(entry.name))
            return f"process {entry.name} ({command[:80]})"
    return "a process of another user"


def require_free(ip: str, ports: Iterable[int]) -> None:
    """Raise MeshproofError that names each of ``ports`` that is taken on ``ip``, and by whom."""
    taken = [port for port in ports if not can_bind(ip, port)]
    if not taken:
        return
    by = {x.port: x for x in listening() if x.everywhere or x.ip == ip}
    said = [f"{by[p]} by {holder(by[p].inode)}" if p in by else f"{ip}:{p}" for p in taken]
    raise MeshproofError(
        f"ports that every sidecar needs are taken: {'; '.join(said)}; end that, or let it listen "
        "on one address (127.0.0.1, say) instead of on all"
    )


def everywhere(sessions: Collection[int]) -> dict[int, list[Listener]]:
    """What the processes of some sessions (an app and its workers are one) listen to on every
    address of this machine, by session."""
    wanted = {x.inode: x for x in listening() if x.everywhere}
    found: dict[int, set[Listener]] = {}
    for entry in Path("/proc").iterdir() if wanted else ():
        session = procfs.session_of(int(entry.name)) if entry.name.isdigit() else None
        if session is not None and session in sessions:
            inodes = sockets_of(int(entry.name)) & wanted.keys()
            found.setdefault(session, set()).update(wanted[i] for i in inodes)
    return {s: sorted(at, key=lambda x: (x.port, x.ip)) for s, at in found.items() if at}
