"""Folders of loads, in the system's temporary folder, each with a marker of its owner.

A killed process cannot remove its own; ``sweep`` does it then. They are not run folders: those may
lie in memory, and the records of a long load are large.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from meshproof.host import private_files
from meshproof.host.process_identity import new_run_id
from meshproof.host.run_folder import MARKER, Marker, read_marker

_PREFIX = "meshproof-load-"


def create() -> tempfile.TemporaryDirectory[str]:
    """A new folder that this process owns, its marker inside."""
    folder = tempfile.TemporaryDirectory(prefix=_PREFIX)
    if Path("/proc/self/ns").is_dir():  # not Linux: only a mesh on a cluster runs there
        marker = json.dumps(asdict(Marker.of_this_process(new_run_id())))
        private_files.write(Path(folder.name) / MARKER, marker)
    return folder


def find_abandoned() -> Iterator[Path]:
    """Every folder of this user whose owner is certainly dead."""
    for folder in sorted(Path(tempfile.gettempdir()).glob(f"{_PREFIX}*")):
        if folder.is_symlink() or folder.stat().st_uid != os.getuid():
            continue
        marker = read_marker(folder)
        if marker is not None and marker.owner_dead():
            yield folder
