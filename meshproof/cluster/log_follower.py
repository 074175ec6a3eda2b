"""Logs as they grow: ``kubectl logs -f`` appends each pod's log to a file of its own.

One process a pod, of some 50 MB. It starts when somebody first asks to follow the pod, and again
when it has ended while its pod lives: a restarted container has a new log.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from meshproof.cluster.commands import Background, Runner

_RESTART_AFTER = 2.0
"""Seconds between two starts for one pod: while a container does not exist yet, kubectl exits at
once."""


class LogFollower:
    """Callable from any thread. Each file has its pod's name."""

    def __init__(self, runner: Runner, folder: Path) -> None:
        self._runner = runner
        self._folder = folder
        self._running: dict[Path, Background] = {}
        self._started: dict[Path, float] = {}
        self._lock = threading.Lock()
        self._closed = False

    def file(self, name: str, argv: Sequence[str], since: str) -> Path:
        """The file that receives the output of ``argv``, a command that follows a log. ``since``
        is the command's option that takes a time."""
        path = self._folder / f"{name}.log"
        with self._lock:
            if self._closed or not self._due(path):
                return path
            self._folder.mkdir(mode=0o700, exist_ok=True)
            resume = [f"{since}={_last_write(path)}"] if path in self._running else []
            doing = f"following the log of {name}"
            self._running[path] = self._runner.start([*argv, *resume], doing, output=path)
            self._started[path] = time.monotonic()
        return path

    def _due(self, path: Path) -> bool:
        """No process writes to the file, and none was started a moment ago."""
        running = self._running.get(path)
        if running is None:
            return True
        age = time.monotonic() - self._started[path]
        return running.poll() is not None and age >= _RESTART_AFTER

    def close(self) -> None:
        with self._lock:
            self._closed = True
            for process in self._running.values():
                process.terminate()
            while self._running:
                _path, process = self._running.popitem()
                process.wait(10)


def _last_write(path: Path) -> str:
    """What the file already holds is not asked for again."""
    try:
        written = path.stat().st_mtime
    except OSError:
        written = time.time()
    return datetime.fromtimestamp(written, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
