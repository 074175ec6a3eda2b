"""``down``: end a mesh."""

from __future__ import annotations

import os
import select
import signal
from pathlib import Path

from meshproof.cli.app import app
from meshproof.cli.options import DEFAULT_NAME, Name
from meshproof.cli.output import print_info, print_message
from meshproof.cluster.state_dir import clusters, state_dir
from meshproof.control.client import Client
from meshproof.errors import MeshproofError
from meshproof.host import registry
from meshproof.host.registry import RunningMesh
from meshproof.wait import DeadlineExceeded, until

_PATIENCE = 60.0
"""Seconds for a killed process to end, and for its supervisor to clean up."""


@app.command()
def down(name: Name = DEFAULT_NAME) -> None:
    """End a mesh; return when all its processes, sockets and folders are gone."""
    entry = registry.find(name)
    before = _orphans()
    try:
        process = os.pidfd_open(entry.pid)
    except ProcessLookupError:
        process = -1
    if process >= 0:
        try:
            _request_end(entry, process)
            if not select.select([process], [], [], entry.end_limit)[0]:
                print_message(
                    f"process {entry.pid} did not end within {entry.end_limit:.0f} s: killed; "
                    "`meshproof sweep` removes what it left"
                )
                signal.pidfd_send_signal(process, signal.SIGKILL)
                select.select([process], [], [], _PATIENCE)
        finally:
            os.close(process)
    _clean_up(entry)
    if orphans := sorted(_orphans() - before):
        raise MeshproofError(
            f"the process of mesh {name} has ended, but could not delete kind cluster "
            f"{', '.join(orphans)}: is Docker running? Once it does, `meshproof sweep` deletes it"
        )
    print_info(f"mesh {name} is down")


def _orphans() -> set[str]:
    """Kind clusters whose process is gone. Runs no command."""
    return {cluster for cluster in clusters() if not state_dir(cluster).used_by_another()}


def _request_end(entry: RunningMesh, process: int) -> None:
    """By the control socket; by SIGTERM if there is none yet, or if it does not answer."""
    try:
        if entry.control_socket:
            Client(entry).down()
            return
    except MeshproofError:
        pass
    if entry.alive:
        signal.pidfd_send_signal(process, signal.SIGTERM)


def _clean_up(entry: RunningMesh) -> None:
    """Wait for what the supervisor is still removing, then remove the mesh's name."""

    def leftover() -> str:
        return entry.run_dir if entry.run_dir and Path(entry.run_dir).exists() else ""

    try:
        until(leftover, "the run folder is removed", within=_PATIENCE, every=0.02)
    except DeadlineExceeded as error:
        raise MeshproofError(f"{error.last} is still there; see `meshproof sweep`") from None
    registry.remove_stale()
