"""What a kind cluster of ours leaves on this machine: kubeconfig, and who made it.

A cluster is ours when its nodes carry our label. That needs an API server that answers; where it
does not, the note in this folder tells whose half-made cluster lies there.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_state_path

from meshproof.host.process_identity import start_time

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
        """Who owns the cluster; written before it is made."""
        return self.root / _NOTE

    def made_here(self) -> bool:
        """Whether a meshproof on this machine made (or began to make) this cluster."""
        return self.note.exists()

    def used_by_another(self) -> bool:
        """Whether the process that owns the cluster lives and is not this one."""
        try:
            note = json.loads(self.note.read_text(encoding="utf-8"))
            pid, started = int(note["pid"]), str(note["started"])
        except (OSError, ValueError, KeyError, TypeError):
            return False
        return pid != os.getpid() and bool(started) and _started(pid) == started

    def remove(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)


def owner(pid: int = 0) -> str:
    """What the note says when a process, by default this one, is the owner."""
    pid = pid or os.getpid()
    return json.dumps({"pid": pid, "started": _started(pid)})


def folder(cluster: str, base: Path | None = None) -> StateDir:
    return StateDir((base or _base()) / cluster)


def clusters(base: Path | None = None) -> list[str]:
    """Names of all clusters that a meshproof on this machine noted."""
    root = base or _base()
    return sorted(note.parent.name for note in root.glob(f"*/{_NOTE}"))


def _base() -> Path:
    return user_state_path("meshproof") / "kind"


def _started(pid: int) -> str:
    """When a process started, in the kernel's ticks; empty for none. A pid alone is used again."""
    ticks = start_time(pid)
    return "" if ticks is None else str(ticks)
