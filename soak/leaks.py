"""Leaks of a run: what is left when its mesh is down."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path

import psutil

from meshproof.host import processes, sockets
from meshproof.verdicts.verdict import Verdict, conclude, some


def left_over(run_id: str, run_dir: Path, before: Sequence[str]) -> Verdict:
    """Processes, folder, sockets, threads and listeners; ``before`` is ``own`` before the mesh."""
    leaks = [f"process {p.pid} {p.command[:60]}" for p in processes.find_run(run_id)]
    if run_dir.exists():
        leaks.append(f"folder {run_dir}")
    unix = {x.laddr for x in psutil.net_connections("unix") if str(run_dir) in str(x.laddr)}
    leaks += [f"socket {path}" for path in sorted(map(str, unix))]
    leaks += [one for one in own() if one not in before]
    return conclude(
        "left over", 1, {"left": len(leaks)}, [f"left: {some(leaks)}"] if leaks else [],
        wanted="no process, folder, socket, thread or listener",
        found=f"{len(leaks)} things",
        allowed="0",
    )  # fmt: skip


def own() -> list[str]:
    """Threads and listeners of this process."""
    threads = [f"thread {thread.name}" for thread in threading.enumerate()]
    listeners = [x for x in sockets.find_listeners() if x.pid == os.getpid()]
    return threads + [f"listener {x}" for x in listeners]
