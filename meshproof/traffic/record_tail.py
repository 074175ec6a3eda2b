"""Reads a load's record file while it grows."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any


class RecordTail:
    """How many requests are recorded, and who answered the first of them, without a gap."""

    def __init__(self, file: Path) -> None:
        self.lines = 0
        self.versions: Counter[str] = Counter()
        """Version -> answers to requests 1 to n, where n is the last before a request that is still
        in flight. Those in flight are rather a slow version's than a fast one's, so what is merely
        complete would be biased."""
        self._file, self._offset = file, 0
        self._next, self._later = 1, dict[int, Any]()

    def read(self, *, versions: bool = False) -> int:
        """Take in what is new, and return how many requests are recorded by now. ``versions`` are
        counted from the beginning, or never."""
        if self._file.exists():
            with self._file.open("rb") as file:
                file.seek(self._offset)
                whole = file.read().rpartition(b"\n")[0]
            if whole:
                self._offset += len(whole) + 1
                lines = whole.split(b"\n")
                self.lines += len(lines)
                if versions:
                    self._count(lines)
        return self.lines

    def _count(self, lines: list[bytes]) -> None:
        for record in map(json.loads, lines):
            self._later[record["number"]] = record
        while (record := self._later.pop(self._next, None)) is not None:
            self._next += 1
            if record["status"] == 200 and not record["error"]:
                self.versions[record["version"] or "no version"] += 1
