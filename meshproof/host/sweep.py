"""What runs that are over have left: processes, run folders, names. Runs that live are not touched.

A mesh that is killed takes everything with it by way of its supervisor. This is for the rest:
both killed at once, or a machine that was switched off.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from meshproof.host import procfs, registry, run_folder
from meshproof.host.procfs import Marked


@dataclass(frozen=True, slots=True)
class Leftovers:
    processes: tuple[Marked, ...] = ()
    folders: tuple[Path, ...] = ()
    names: tuple[Path, ...] = ()
    """Files of the state folder."""

    def as_dict(self) -> dict[str, Any]:
        return {
            "processes": [
                {"pid": p.pid, "run_id": p.run_id, "command": p.command} for p in self.processes
            ],
            "folders": [str(folder) for folder in self.folders],
            "names": [path.stem for path in self.names],
        }

    def __bool__(self) -> bool:
        return bool(self.processes or self.folders or self.names)


def leftovers() -> Leftovers:
    """Look, and change nothing."""
    orphans = (p for p in procfs.marked() if procfs.owner_alive(p.run_id) is False)
    return Leftovers(tuple(orphans), tuple(run_folder.abandoned()), registry.stale())


def sweep() -> Leftovers:
    """End and remove what ``leftovers`` finds; returns what was ended and removed.

    Processes first: they may still write to their folder.
    """
    found = leftovers()
    killed: list[Marked] = []
    for run_id in sorted({process.run_id for process in found.processes}):
        killed.extend(procfs.kill_run(run_id))
    folders = tuple(run_folder.abandoned())
    for folder in folders:
        run_folder.remove_abandoned(folder)
    return Leftovers(tuple(killed), folders, registry.remove_stale())
