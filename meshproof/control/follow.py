"""Log files as they grow: whole lines, each with the name of its file where there are several."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


class Follower:
    """Remembers how far each file was read. A file may appear, grow, or be gone."""

    def __init__(self) -> None:
        self._read: dict[Path, int] = {}

    def poll(self, files: Iterable[Path], *, named: bool) -> bytes:
        """The lines written since the last call, file by file.

        A line's last part, while its end is not written yet, is kept for a later call. ``named``
        puts ``<replica> | `` before each line.
        """
        return b"".join(self._new_lines(path, named) for path in files)

    def _new_lines(self, path: Path, named: bool) -> bytes:
        start = self._read.get(path, 0)
        try:
            with path.open("rb") as log:
                log.seek(start)
                data = log.read()
        except OSError:
            return b""
        whole = data[: data.rfind(b"\n") + 1]
        self._read[path] = start + len(whole)
        if not named:
            return whole
        prefix = f"{path.stem} | ".encode()
        return b"".join(prefix + line for line in whole.splitlines(keepends=True))
