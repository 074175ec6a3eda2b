"""What a service says of an upstream that does not answer."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable

import pytest

from services.common.upstream import Timeouts, Upstream, UpstreamError

WITHOUT_LINGER = struct.pack("ii", 1, 0)


def close(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.close()


def reset(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, WITHOUT_LINGER)
    connection.close()


@pytest.mark.parametrize("end", [close, reset])
def test_a_connection_that_ends_without_an_answer_is_an_eof(
    end: Callable[[socket.socket], None],
) -> None:
    """However its sidecar closes it, as in the tutorial."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=lambda: end(server.accept()[0]), daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(UpstreamError) as closed:
            Upstream(url, Timeouts(300, 300)).get("/send", {}, {})
        thread.join(300)
    assert (closed.value.reason, closed.value.detail) == ("refused", f"{url}: EOF")
