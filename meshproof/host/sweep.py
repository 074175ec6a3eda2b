"""Removes what dead runs left behind: processes, folders, names. Living runs are not touched.

When a mesh is killed, its supervisor ends and removes everything. This is for the other cases: both
were killed at once, or the machine was switched off.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from meshproof.host import load_folders, registry, run_folder
from meshproof.host.process_identity import owner_alive
from meshproof.host.processes import MarkedProcess, find_folder, find_marked, kill_run


@dataclass(frozen=True, slots=True)
class Leftovers:
    processes: tuple[MarkedProcess, ...] = ()
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


def find_leftovers() -> Leftovers:
    """What ``sweep`` would end and remove."""
    folders = (*run_folder.find_abandoned(), *load_folders.find_abandoned())
    return Leftovers(_find_orphans(), folders, registry.find_stale())


def _find_orphans() -> tuple[MarkedProcess, ...]:
    return tuple(p for p in find_marked() if owner_alive(p.run_id) is False)


def sweep() -> Leftovers:
    """End and remove what ``find_leftovers`` finds; returns what was ended and removed.

    Processes first: they may still write to their folder. A supervisor that is about to end and to
    remove its own is killed as well, and that folder may be one that is not looked for: of a run
    with another XDG_RUNTIME_DIR.
    """
    killed: list[MarkedProcess] = []
    own_folders: list[Path] = []
    for run_id in sorted({process.run_id for process in _find_orphans()}):
        own = find_folder(run_id)
        killed.extend(kill_run(run_id))
        if own and run_folder.remove(Path(own), run_id):
            own_folders.append(Path(own))
    folders, loads = tuple(run_folder.find_abandoned()), tuple(load_folders.find_abandoned())
    for folder in folders:
        run_folder.remove_abandoned(folder)
    for folder in loads:
        shutil.rmtree(folder, ignore_errors=True)
    return Leftovers(tuple(killed), (*own_folders, *folders, *loads), registry.remove_stale())
