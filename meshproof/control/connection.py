"""HTTP over the control socket, from the client's side."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator

from meshproof.control.wire import decode_error
from meshproof.errors import MeshproofError
from meshproof.host.registry import RunningMesh


class Connection(http.client.HTTPConnection):
    """Over a Unix socket, without a time limit: a change takes as long as it takes."""

    def __init__(self, entry: RunningMesh) -> None:
        super().__init__("mesh")
        self._path = entry.control_socket

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(self._path)


def post(entry: RunningMesh, path: str, body: str) -> Iterator[bytes]:
    """The response's body as it comes. Raises the error that the mesh raised, and MeshproofError
    where the mesh does not answer."""
    connection = Connection(entry)
    try:
        connection.request("POST", path, body)
        response = connection.getresponse()
        if response.status != 200:
            raise decode_error(response.read())
        while part := response.read1(1 << 16):
            yield part
    except (OSError, http.client.HTTPException) as error:
        raise MeshproofError(
            f"the mesh {entry.name} (process {entry.pid}) does not answer: {error}; "
            f"end it with `meshproof down --name {entry.name}`"
        ) from error
    finally:
        connection.close()
