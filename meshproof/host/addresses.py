"""Loopback addresses as "pod IPs": one block for each mesh, one address for each replica.

A block is 127.N.0.0/16. It is held by a listening socket, not by a file: the kernel releases it
when the mesh process ends, however it ends. Linux answers on all of 127.0.0.0/8 without set-up.
"""

from __future__ import annotations

import errno
import random
import socket
from collections.abc import Collection
from pathlib import Path

from meshproof.errors import MeshproofError

_HOLD_PORT = 15010
_BLOCKS = range(16, 250)
_UNPRIVILEGED = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
_PRIVILEGED_SHIFT = 8000
"""Port 80 becomes 8080, for root as well, so that URLs do not depend on who runs the mesh."""


class AddressBlock:
    """One mesh's 127.N.0.0/16: gateway at .0.2, spans and metrics at .0.3, sidecars from .1.1,
    apps from .128.1."""

    def __init__(self) -> None:
        self._holder, self.number = self._hold()
        self._next = 0
        self._free: list[int] = []

    @staticmethod
    def _hold() -> tuple[socket.socket, int]:
        numbers = list(_BLOCKS)
        random.shuffle(numbers)
        for number in numbers:
            holder = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            try:
                holder.bind((f"127.{number}.0.1", _HOLD_PORT))
                holder.listen(1)
            except OSError as error:
                holder.close()
                if error.errno != errno.EADDRINUSE:
                    raise MeshproofError(
                        f"cannot listen on 127.{number}.0.1:{_HOLD_PORT}: {error.strerror}; "
                        "meshproof needs Linux's loopback range 127.0.0.0/8"
                    ) from error
                continue
            return holder, number
        raise MeshproofError(
            f"every loopback block 127.{_BLOCKS.start}.0.0/16 to 127.{_BLOCKS.stop - 1}.0.0/16 is "
            f"taken, or port {_HOLD_PORT} is in use on 0.0.0.0; end other meshes "
            "(meshproof sweep) or free that port"
        )

    @property
    def gateway(self) -> str:
        return f"127.{self.number}.0.2"

    @property
    def observability(self) -> str:
        """Where spans and metrics of the whole mesh are served."""
        return f"127.{self.number}.0.3"

    def outside(self, index: int) -> str:
        """The address of the ``index``-th outside host that we start."""
        return f"127.{self.number}.0.{10 + index}"

    def take(self) -> int:
        """A slot for one replica, until ``release``."""
        if self._free:
            return self._free.pop(0)
        self._next += 1
        if self._next > 127 * 250:
            raise MeshproofError("this mesh has no loopback address left; it holds 31,750 replicas")
        return self._next

    def release(self, slot: int) -> None:
        self._free.append(slot)

    def sidecar(self, slot: int) -> str:
        """The "pod IP": where a replica's sidecar listens."""
        return f"127.{self.number}.{1 + (slot - 1) // 250}.{1 + (slot - 1) % 250}"

    def app(self, slot: int) -> str:
        """Where an app listens that cannot take a Unix socket."""
        return f"127.{self.number}.{128 + (slot - 1) // 250}.{1 + (slot - 1) % 250}"

    def close(self) -> None:
        self._holder.close()


def can_bind(ip: str, port: int) -> bool:
    """Whether ``ip``:``port`` is free now (a listener on 0.0.0.0 takes it on every address)."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ip, port))
            probe.listen(1)
        except OSError:
            return False
        return True


def free_port(ip: str) -> int:
    """A port of the kernel's choice that is free on ``ip`` now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((ip, 0))
        port: int = probe.getsockname()[1]
        return port


def real_port(ip: str, port: int, in_use: Collection[int] = ()) -> int:
    """``port``, or another where it is privileged or taken on ``ip``; ``in_use`` are those that
    somebody will bind."""
    preferred = preferred_port(port)
    if preferred not in in_use and can_bind(ip, preferred):
        return preferred
    while (other := free_port(ip)) in in_use:
        continue
    return other


def preferred_port(port: int) -> int:
    """``port``, or another where it is privileged."""
    limit = int(_UNPRIVILEGED.read_text()) if _UNPRIVILEGED.exists() else 1024
    return port + _PRIVILEGED_SHIFT if port < max(limit, 1024) else port
