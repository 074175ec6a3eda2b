"""Logs as they grow: ``kubectl logs -f`` writes each pod's into a file of its own.

One process a pod, of some 50 MB, begun when somebody first asks to follow it, and again when it
has ended while its pod lives: a container that was started anew has a log of its own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from meshproof.cluster.commands import Background, Runner

_AGAIN = 2.0
"""Seconds between two starts for one pod: a container that is not there yet ends each at once."""


class Following:
    """Callable from any thread. A file is named as its pod is."""

    def __init__(self, runner: Runner, folder: Path) -> None:
        self._runner = runner
        self._folder = folder
        self._running: dict[Path, Background] = {}
        self._began: dict[Path, float] = {}
        self._lock = threading.Lock()
        self._closed = False

    def file(self, name: str, argv: Sequence[str], since: str) -> Path:
        """The file that gets what ``argv``, a command that follows a log, prints. ``since`` is its
        option that takes a time."""
        path = self._folder / f"{name}.log"
        with self._lock:
            if self._closed or not self._due(path):
                return path
            self._folder.mkdir(mode=0o700, exist_ok=True)
            more = [f"{since}={_written(path)}"] if path in self._running else []
            doing = f"following the log of {name}"
            self._running[path] = self._runner.start([*argv, *more], doing, output=path)
            self._began[path] = time.monotonic()
        return path

    def _due(self, path: Path) -> bool:
        """Nothing writes to the file, nor was begun to a moment ago."""
        running = self._running.get(path)
        if running is None:
            return True
        return running.poll() is not None and time.monotonic() - self._began[path] >= _AGAIN

    def close(self) -> None:
        with self._lock:
            self._closed = True
            for process in self._running.values():
                process.terminate()
            while self._running:
                _path, process = self._running.popitem()
                process.wait(10)


def _written(path: Path) -> str:
    """When the file was last written to: what is in it already is not asked for again."""
    try:
        last = path.stat().st_mtime
    except OSError:
        last = time.time()
    return datetime.fromtimestamp(last, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
