"""A command that runs offline sees loopback and nothing else."""

from __future__ import annotations

import subprocess
import sys

import pytest

from meshproof.host import pod_trial

SEE = (
    "import socket\n"
    "print([name for _, name in socket.if_nameindex()])\n"
    "socket.create_server(('127.0.0.1', 8080)).close()\n"
    "try: socket.create_connection(('192.0.2.1', 80), 5)\n"
    "except OSError as error: print(error.strerror)\n"
)


def test_nothing_leaves() -> None:
    if why := pod_trial.find_problem():
        pytest.skip(f"no namespaces on this machine: {why}")
    done = subprocess.run(
        [sys.executable, "-m", "tools.offline", sys.executable, "-c", SEE],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "['lo']\nNetwork is unreachable\n"
