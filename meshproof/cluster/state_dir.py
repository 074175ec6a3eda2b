"""What a kind cluster of ours leaves on this machine: its kubeconfig, and a note of its owner.

A cluster is ours when its nodes carry our label. That takes an API server that answers; where none
does, the note tells who began to create the cluster.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_state_path

from meshproof.host import process_identity

_NOTE = "owner.json"


@dataclass(frozen=True, slots=True)
class StateDir:
    """``<state>/meshproof/kind/<cluster>/``"""

    root: Path

    @property
    def kubeconfig(self) -> Path:
        return self.root / "kubeconfig"

    @property
    def config(self) -> Path:
        """What ``kind create cluster --config`` reads."""
        return self.root / "kind.yaml"

    @property
    def profile(self) -> Path:
        """What ``istioctl install -f`` reads."""
        return self.root / "istio.yaml"

    @property
    def note(self) -> Path:
        """The owner of the cluster; written before the cluster is created."""
        return self.root / _NOTE

    def created_here(self) -> bool:
        """Whether a meshproof on this machine created (or began to create) this cluster."""
        return self.note.exists()

    def used_by_another(self) -> bool:
        """Whether the process that owns the cluster is alive and is not this one."""
        try:
            note = json.loads(self.note.read_text(encoding="utf-8"))
            pid, started = int(note["pid"]), str(note["started"])
        except (OSError, ValueError, KeyError, TypeError):
            return False
        return pid != os.getpid() and bool(started) and _start_time(pid) == started

    def remove(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)


def owner_note(pid: int = 0) -> str:
    """The note of a process that owns a cluster; by default this process."""
    pid = pid or os.getpid()
    return json.dumps({"pid": pid, "started": _start_time(pid)})


def state_dir(cluster: str, base: Path | None = None) -> StateDir:
    return StateDir((base or _base()) / cluster)


def clusters(base: Path | None = None) -> list[str]:
    """Names of all clusters that have a note on this machine."""
    root = base or _base()
    return sorted(note.parent.name for note in root.glob(f"*/{_NOTE}"))


def _base() -> Path:
    return user_state_path("meshproof") / "kind"


def _start_time(pid: int) -> str:
    """Empty for no process. A pid alone does not identify one: pids are reused."""
    started = process_identity.start_time(pid)
    return "" if started is None else str(started)
