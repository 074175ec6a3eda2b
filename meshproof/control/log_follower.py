"""Log files as they grow: whole lines, each with the name of its file where there are several."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


class LogFollower:
    """Remembers how far each file was read. Files may appear, grow and disappear."""

    def __init__(self) -> None:
        self._offsets: dict[Path, int] = {}

    def poll(self, files: Iterable[Path], *, named: bool) -> bytes:
        """The lines written since the last call, file by file.

        An unfinished last line is left for a later call. ``named`` puts ``<replica> | `` before
        each line.
        """
        return b"".join(self._new_lines(path, named) for path in files)

    def _new_lines(self, path: Path, named: bool) -> bytes:
        start = self._offsets.get(path, 0)
        try:
            with path.open("rb") as log:
                log.seek(start)
                data = log.read()
        except OSError:
            return b""
        lines = data[: data.rfind(b"\n") + 1]
        self._offsets[path] = start + len(lines)
        if not named:
            return lines
        prefix = f"{path.stem} | ".encode()
        return b"".join(prefix + line for line in lines.splitlines(keepends=True))
