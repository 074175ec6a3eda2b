"""The names of running meshes and their control sockets: one ``<name>.json`` for each mesh.

They are in ``$MESHPROOF_STATE``, by default a folder of the user's. An entry whose mesh process is
dead is stale: it is ignored, and removed by whoever comes across it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from meshproof.errors import MeshproofError, UsageError
from meshproof.host import private_files
from meshproof.host.process_identity import start_time

NAMED = "named"
"""File in a run folder with the path of its name's entry; read by ``supervisor.py``."""
END_LIMIT = 60.0
"""Seconds that a mesh on this machine gets to end; it takes up to 3, and more only if stuck."""
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class RunningMesh:
    """The state file of one mesh. ``control_socket`` is empty until the mesh is live."""

    name: str
    pid: int
    start_time: int
    """Clock ticks from boot to the start of the mesh process, as in /proc/PID/stat."""
    run_id: str = ""
    run_dir: str = ""
    control_socket: str = ""
    end_limit: float = END_LIMIT
    """Seconds that its process may take to end in order."""

    @property
    def alive(self) -> bool:
        return start_time(self.pid) == self.start_time


def state_folder() -> Path:
    """``$MESHPROOF_STATE`` or the user's own; it need not exist."""
    configured = os.environ.get("MESHPROOF_STATE", "")
    if configured:
        return Path(configured)
    import platformdirs  # noqa: PLC0415  (not paid by those who set the variable)

    return platformdirs.user_state_path("meshproof")


@contextlib.contextmanager
def _locked() -> Iterator[Path]:
    """The state folder, made if need be, and nobody else changing it."""
    folder = state_folder()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise MeshproofError(
            f"{folder}: {error.strerror}; set MESHPROOF_STATE to a folder that can be written to"
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
    finally:
        os.close(lock)


def _read(path: Path) -> RunningMesh | None:
    try:
        return RunningMesh(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _write(folder: Path, entry: RunningMesh) -> None:
    """Whole or not at all: readers take no lock."""
    fresh = folder / f".{entry.name}.new"
    private_files.write(fresh, json.dumps(asdict(entry)))
    fresh.replace(folder / f"{entry.name}.json")


def reserve(name: str, *, end_limit: float = END_LIMIT) -> RunningMesh:
    """Take a name for this process, before its mesh starts. ``end_limit`` is in seconds.

    Raises UsageError where the name is not valid, or where a living mesh has it.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"--name: {name!r} is not a name for a mesh; "
            "wanted up to 40 of a-z, 0-9 and -, a letter or digit at both ends"
        )
    pid = os.getpid()
    with _locked() as folder:
        holder = _read(folder / f"{name}.json")
        if holder and holder.alive:
            raise UsageError(
                f"a mesh named {name} is running already (process {holder.pid}); "
                f"end it with `meshproof down --name {name}`, or choose another --name"
            )
        entry = RunningMesh(name, pid, start_time(pid) or 0, end_limit=end_limit)
        _write(folder, entry)
    return entry


def publish(entry: RunningMesh) -> None:
    """Fill in what ``reserve`` could not know yet.

    The run folder learns where the name is kept, so that a killed mesh's supervisor drops it.
    """
    with _locked() as folder:
        if entry.run_dir:
            path = folder.absolute() / f"{entry.name}.json"
            private_files.write(Path(entry.run_dir) / NAMED, str(path))
        _write(folder, entry)


def release(name: str) -> None:
    """Give a name back; nothing where another process has it."""
    with _locked() as folder:
        path = folder / f"{name}.json"
        entry = _read(path)
        if entry and entry.pid == os.getpid():
            path.unlink(missing_ok=True)


def drop(name: str) -> None:
    """``release`` for a signal handler: takes no lock, which this thread may hold already."""
    path = state_folder() / f"{name}.json"
    entry = _read(path)
    if entry and entry.pid == os.getpid():
        path.unlink(missing_ok=True)


def list_running() -> tuple[RunningMesh, ...]:
    """Every mesh that runs, by name."""
    entries = (_read(path) for path in sorted(state_folder().glob("*.json")))
    return tuple(entry for entry in entries if entry and entry.alive)


def find(name: str) -> RunningMesh:
    """The running mesh of that name; raises UsageError that says what runs instead."""
    entry = _read(state_folder() / f"{name}.json") if _NAME.fullmatch(name) else None
    if entry and entry.alive:
        return entry
    others = ", ".join(other.name for other in list_running())
    remedy = f"running: {others}; choose one with --name" if others else "start one: meshproof up"
    raise UsageError(f"no mesh named {name} is running; {remedy}")


def find_stale() -> tuple[Path, ...]:
    """Entries of meshes that are dead, and files there that cannot be read as entries."""
    paths = sorted(state_folder().glob("*.json"))
    return tuple(path for path in paths if not ((entry := _read(path)) and entry.alive))


def remove_stale() -> tuple[Path, ...]:
    """Remove what ``find_stale`` finds; returns it."""
    if not state_folder().is_dir():
        return ()
    with _locked():
        paths = find_stale()
        for path in paths:
            path.unlink(missing_ok=True)
    return paths
