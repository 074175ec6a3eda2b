"""``down``: end a mesh."""

from __future__ import annotations

import os
import select
import signal
import time
from pathlib import Path

from meshproof.cli.app import app
from meshproof.cli.options import DEFAULT_NAME, Name
from meshproof.cli.output import print_info, print_message
from meshproof.control.client import Client
from meshproof.errors import MeshproofError
from meshproof.host import registry
from meshproof.host.registry import RunningMesh

_PATIENCE = 20.0
"""Seconds until a killed process is gone, and what a supervisor removes after it."""


@app.command()
def down(name: Name = DEFAULT_NAME) -> None:
    """End a mesh; return when all its processes, sockets and folders are gone."""
    entry = registry.find(name)
    try:
        process = os.pidfd_open(entry.pid)
    except ProcessLookupError:
        process = -1
    if process >= 0:
        try:
            _ask(entry, process)
            if not select.select([process], [], [], entry.end_limit)[0]:
                print_message(
                    f"process {entry.pid} did not end within {entry.end_limit:.0f} s: killed; "
                    "`meshproof sweep` removes what it left"
                )
                signal.pidfd_send_signal(process, signal.SIGKILL)
                select.select([process], [], [], _PATIENCE)
        finally:
            os.close(process)
    _gone(entry)
    print_info(f"mesh {name} is down")


def _ask(entry: RunningMesh, process: int) -> None:
    """By its control socket; by SIGTERM where it has none yet, or does not answer."""
    try:
        if entry.control_socket:
            Client(entry).down()
            return
    except MeshproofError:
        pass
    if entry.alive:
        signal.pidfd_send_signal(process, signal.SIGTERM)


def _gone(entry: RunningMesh) -> None:
    """Wait for what a supervisor is still removing, then take away the rest."""
    deadline = time.monotonic() + _PATIENCE
    while entry.run_dir and Path(entry.run_dir).exists():
        if time.monotonic() >= deadline:
            raise MeshproofError(f"{entry.run_dir} is still there; see `meshproof sweep`")
        time.sleep(0.02)
    registry.remove_stale()
