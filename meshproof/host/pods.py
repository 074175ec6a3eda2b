"""The pods of one mesh, as the mesh process sees them: created, given sockets, removed."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Collection, Sequence
from typing import Any, Literal

from meshproof.errors import MeshproofError
from meshproof.host import pod_support
from meshproof.host.netlink import Way
from meshproof.host.pod_support import PodsUnavailable
from meshproof.host.supervisor_client import SupervisorClient
from meshproof.model.pod_network import (
    DNS_PORT,
    INBOUND_PORT,
    MESH_NAMESPACE_FD,
    OUTBOUND_PORT,
)

MESH = ""
"""The network in which the sidecars of a mesh reach each other, where a pod is asked for."""
Place = tuple[str, int]
"""An address and a port."""
TO_SIDECAR: Way = ("", "", 0, OUTBOUND_PORT)
_AT_ONCE = 1000
"""Places of one request, which is one packet."""
_LIMIT = 60.0
"""Seconds for the helper's answer, which takes 0.1 ms."""


class Pods:
    """``make_socket`` may be called anywhere, the rest in the supervisor's event loop."""

    def __init__(self, supervisor: SupervisorClient) -> None:
        self._supervisor = supervisor
        self._lock = threading.Lock()

    async def open(self) -> None:
        """Create what the pods of this mesh share. Raises PodsUnavailable where this machine does
        not allow them: nothing has changed then."""
        answer = await self._supervisor.open_pods(
            "pods",
            dns_port=DNS_PORT,
            inbound_port=INBOUND_PORT,
            mesh_handle=MESH_NAMESPACE_FD,
        )
        if answer["error"]:
            raise PodsUnavailable(
                pod_support.explain(answer["step"], answer["errno"], answer["error"])
            )

    async def add(
        self, name: str, ip: str, hostname: str, files: dict[str, str], ways: Sequence[Way] = ()
    ) -> None:
        """Create a pod. ``files`` are places in it, and the files of this machine that are seen
        there. Of ``ways`` the first that fits a connection takes it; without any the sidecar takes
        them all. Raises MeshproofError."""
        answer = await self._supervisor.request(
            f"pod {name}",
            "add_pod",
            pod=name,
            ip=ip,
            hostname=hostname,
            files=[[source, place] for place, source in files.items()],
            ways=list(ways) or [TO_SIDECAR],
        )
        if answer["error"]:
            step, error = answer["step"], answer["error"]
            raise MeshproofError(f"pod {name} was not created: {step}: {error}")

    def remove(self, name: str) -> None:
        """Its processes must have ended."""
        self._supervisor.remove_pod(name)

    def make_socket(
        self,
        pod: str,
        kind: Literal["tcp", "udp"] = "tcp",
        *,
        bind: tuple[str, int] | None = None,
        backlog: int | None = None,
    ) -> socket.socket:
        """A socket in a pod, or in ``MESH``; non-blocking. With ``backlog`` it listens.

        Raises OSError where it cannot be bound, MeshproofError where the mesh has ended.
        """
        request: dict[str, object] = {"pod": pod, "kind": kind, "bind": bind, "backlog": backlog}
        with self._lock:
            answer, handles = self._ask(request)
        if answer["error"]:
            raise OSError(answer["errno"], answer["error"])
        result = socket.socket(fileno=handles[0])
        result.setblocking(False)
        return result

    def change_listeners(self, new: Collection[Place], old: Collection[Place]) -> None:
        """Where sidecars listen in the mesh's network: whatever else is sent to one of their
        addresses goes to its catch-all, at ``INBOUND_PORT``. Raises MeshproofError."""
        for start in range(0, max(len(new), len(old)), _AT_ONCE):
            rows = (list(places)[start : start + _AT_ONCE] for places in (new, old))
            request: dict[str, object] = dict(zip(("new", "old"), rows, strict=True))
            with self._lock:
                answer, _ = self._ask(request)
            if answer["error"]:
                raise MeshproofError(f"the listeners of pods were not changed: {answer['error']}")

    def _ask(self, request: dict[str, object]) -> tuple[dict[str, Any], list[int]]:
        channel = self._supervisor.pod_sockets
        try:
            channel.settimeout(_LIMIT)
            channel.send(json.dumps(request).encode())
            data, handles, _, _ = socket.recv_fds(channel, 65536, 1)
        except TimeoutError as error:
            channel.close()  # a late answer must not be taken for that of the next request
            raise MeshproofError("the helper of this mesh's pods does not answer") from error
        except OSError as error:
            raise MeshproofError("this mesh's pods have ended") from error
        if not data:
            raise MeshproofError("this mesh's pods have ended")
        return json.loads(data), handles
