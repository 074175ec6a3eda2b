"""The run folder: the sockets, logs and keys of one run, and its owner.

``$XDG_RUNTIME_DIR/meshproof/<run id>`` where that is a folder we can write to, else
``/tmp/meshproof-<uid>/<run id>``; short, because a Unix socket's path holds 107 bytes. Mode 0700,
owned by this user, no symbolic link; anything else at that path is refused, not used.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from meshproof.errors import MeshproofError
from meshproof.host import private_files
from meshproof.host.process_identity import owner_alive, start_time

MARKER = "owner.json"
SOCKET_PATH_LIMIT = 107
"""Bytes of a Unix socket's path that Linux takes (sun_path, less its final zero)."""
_ROOM_FOR_NAMES = 48
"""Bytes kept free for a socket's own name, a subfolder included."""


@dataclass(frozen=True, slots=True)
class Marker:
    """The content of ``owner.json`` in a run folder."""

    run_id: str
    pid: int
    start_time: int
    """Clock ticks from boot, as in /proc/PID/stat."""
    boot_id: str
    pid_namespace: str
    """Containers that share /tmp do not see one another's processes."""

    @staticmethod
    def of_this_process(run_id: str) -> Marker:
        pid = os.getpid()
        return Marker(run_id, pid, start_time(pid) or 0, _boot_id(), _pid_namespace())

    def owner_dead(self) -> bool:
        """True only where it is certain: another boot, or no such process in our namespace."""
        if self.boot_id != _boot_id():
            return True
        if self.pid_namespace != _pid_namespace():
            return False
        return start_time(self.pid) != self.start_time


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def _pid_namespace() -> str:
    return str(Path("/proc/self/ns/pid").readlink())


def _usable(folder: Path) -> bool:
    return folder.is_absolute() and folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


def bases() -> tuple[Path, ...]:
    """The folders that run folders are in, the one for new ones first."""
    fallback = Path(f"/tmp/meshproof-{os.getuid()}")  # noqa: S108  (checked by _private)
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    longest = SOCKET_PATH_LIMIT - _ROOM_FOR_NAMES
    if runtime and _usable(Path(runtime)) and len(os.fsencode(runtime)) + 32 <= longest:
        return (Path(runtime) / "meshproof", fallback)
    return (fallback,)


def _private(folder: Path) -> None:
    """Raise unless ``folder`` is a real folder of this user that nobody else can enter."""
    status = folder.lstat()
    remedy = f"remove {folder}, or set XDG_RUNTIME_DIR to a folder of your own"
    if not stat.S_ISDIR(status.st_mode):
        raise MeshproofError(f"{folder}: not a folder (a symbolic link is not followed); {remedy}")
    if status.st_uid != os.getuid():
        raise MeshproofError(f"{folder}: owned by user {status.st_uid}, not by us; {remedy}")
    if stat.S_IMODE(status.st_mode) & 0o077:
        mode = stat.S_IMODE(status.st_mode)
        raise MeshproofError(f"{folder}: mode {mode:04o}, wanted 0700; {remedy}")


def create(run_id: str) -> Path:
    """Make the folder of a run that this process owns, its marker inside.

    Raises MeshproofError where the base folder is unsafe, or cannot be written to.
    """
    base = bases()[0]
    folder = base / run_id
    for tries_left in (2, 1, 0):
        try:
            with contextlib.suppress(FileExistsError):
                base.mkdir(mode=0o700)
            _private(base)
            folder.mkdir(mode=0o700)
            break
        except OSError as error:
            # Another run, the last one in there, may have removed the base meanwhile.
            if not (isinstance(error, FileNotFoundError) and tries_left):
                raise _cannot_write(folder, error) from error
    marker = json.dumps(asdict(Marker.of_this_process(run_id)))
    try:
        private_files.write(folder / MARKER, marker)
    except OSError as error:
        remove_abandoned(folder)
        raise _cannot_write(folder / MARKER, error) from error
    return folder


def _cannot_write(path: Path, error: OSError) -> MeshproofError:
    remedy = "free some space, or set XDG_RUNTIME_DIR to a folder of your own with more room"
    return MeshproofError(f"{path}: {error.strerror}; {remedy}")


def read_marker(folder: Path) -> Marker | None:
    """The marker of a run folder; None where there is none, or not one of ours."""
    try:
        return Marker(**json.loads((folder / MARKER).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def remove(folder: Path, run_id: str) -> bool:
    """Remove a run's folder, and the base if it is empty then; no other run's. Whether there was
    one."""
    marker = read_marker(folder)
    if marker is None or marker.run_id != run_id:
        return False
    shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):
        folder.parent.rmdir()
    return True


def find_abandoned() -> Iterator[Path]:
    """Every run folder of this user whose owner is certainly dead.

    A folder without a marker was being made or removed when its owner died: its name, the run
    id, says whose it is then.
    """
    for base in bases():
        with contextlib.suppress(OSError, MeshproofError):
            _private(base)
            for folder in sorted(base.iterdir()):
                marker = read_marker(folder)
                dead = marker.owner_dead() if marker else owner_alive(folder.name) is False
                if dead and folder.is_dir() and not folder.is_symlink():
                    yield folder


def remove_abandoned(folder: Path) -> None:
    """Remove a folder that ``find_abandoned`` yielded."""
    shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):
        folder.parent.rmdir()
