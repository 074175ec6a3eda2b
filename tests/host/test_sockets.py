"""Ports that are taken are named with who has them; who listens everywhere is found out."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from meshproof.errors import MeshproofError
from meshproof.host.sockets import find_wildcard_listeners, require_free


@pytest.fixture
def wildcard() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("0.0.0.0", 0))
        listener.listen(1)
        yield listener.getsockname()[1]


@pytest.fixture
def elsewhere() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        yield listener.getsockname()[1]


def test_a_taken_port_is_named_with_its_process(wildcard: int) -> None:
    with pytest.raises(MeshproofError) as failure:
        require_free("127.200.0.1", [wildcard])
    assert f"0.0.0.0:{wildcard} by process {os.getpid()} (" in str(failure.value)
    assert "end that" in str(failure.value)


def test_the_same_port_of_another_address_is_free(elsewhere: int) -> None:
    require_free("127.200.0.1", [elsewhere])
    with pytest.raises(MeshproofError, match=rf"127\.0\.0\.1:{elsewhere} by process"):
        require_free("127.0.0.1", [elsewhere])


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")])
def test_a_worker_that_listens_on_every_address_is_found_by_its_session(
    family: socket.AddressFamily, host: str
) -> None:
    """The listener is a child of the session's leader, as a gunicorn's worker is."""
    script = (
        "import os, socket, sys, time\n"
        "if os.fork() == 0:\n"
        "    listener = socket.socket(int(sys.argv[1]))\n"
        "    listener.bind((sys.argv[2], 0)); listener.listen(1)\n"
        "    print(listener.getsockname()[1], flush=True)\n"
        "    time.sleep(100)\n"
        "os.wait()\n"
    )
    if family == socket.AF_INET6 and not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    app = subprocess.Popen(
        [sys.executable, "-c", script, str(int(family)), host],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        assert app.stdout is not None
        port = int(app.stdout.readline())
        listeners = find_wildcard_listeners([app.pid])
        assert [(x.ip, x.port) for x in listeners[app.pid]] == [(host, port)]
    finally:
        os.killpg(app.pid, 9)
        app.wait()
        assert app.stdout is not None
        app.stdout.close()


def test_who_listens_where_it_is_told_is_not_reported(elsewhere: int, wildcard: int) -> None:
    listeners = find_wildcard_listeners([os.getsid(0)])
    ports = {x.port for x in listeners.get(os.getsid(0), [])}
    assert wildcard in ports
    assert elsewhere not in ports
