"""One request's lines in every log: apps' and sidecars', joined by trace id or run id.

An app's line belongs to a trace when it holds the trace id, as JSON or as plain text; to a run
only when it is JSON with that ``run_id``: anybody chooses run ids, and ``1`` is in many lines.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from meshproof.errors import UsageError

Part = Literal["app", "sidecar"]
_TRACE = re.compile(r"[0-9a-f]{1,32}")
_TIMES = ("time", "timestamp", "ts", "@timestamp")
_LATEST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of one log."""

    began: str
    """When the request began there, ISO 8601 in UTC to the millisecond; empty where the line does
    not tell."""
    writer: str
    """A replica, a gateway, or an outside host."""
    part: Part
    entry: dict[str, Any]
    """The line's JSON object; ``{"text": ...}`` where it is none."""


class Wanted:
    """Which lines: of a trace, or of a run. Raises UsageError for both, neither, or no id."""

    def __init__(self, trace_id: str = "", run_id: str = "") -> None:
        if bool(trace_id) == bool(run_id):
            raise UsageError("logs: wanted one of --trace ID and --run ID")
        self._trace, self._run = trace_id.lower().lstrip("0"), run_id
        if trace_id and not (self._trace and _TRACE.fullmatch(self._trace)):
            raise UsageError(
                f"--trace: {trace_id[:60]!r} is no trace id; wanted up to 32 of 0-9 and a-f, as an "
                "answer's trace_id or `meshproof spans` shows it"
            )
        self.needle = (self._trace or run_id).encode()

    def line(self, data: bytes, writer: str, part: Part) -> LogLine | None:
        """The line, if it is one of those wanted."""
        if self.needle not in data:
            return None
        entry = _entry(data)
        if not self._is_of(entry) or entry.get("direction") == "probe":
            return None
        return LogLine(_began(entry, part), writer, part, entry)

    def _is_of(self, entry: dict[str, Any]) -> bool:
        if self._run:
            return entry.get("run_id") == self._run
        said = entry.get("trace_id")
        # Where a line names its trace it may name others too: a link, a request's text.
        return not isinstance(said, str) or said.lower().lstrip("0") in ("", self._trace)


def of_file(path: Path, writer: str, part: Part, wanted: Wanted) -> Iterator[LogLine]:
    """Of one file; long ones are searched, not read. A line without its end is left out."""
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        if file.seek(0, 2):
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
                for line in _lines_with(text, wanted.needle):
                    if found := wanted.line(line, writer, part):
                        yield found


def of_text(text: str, writer: str, part: Part, wanted: Wanted) -> Iterator[LogLine]:
    """The same for a log that somebody else has read."""
    for line in text.encode().splitlines():
        if found := wanted.line(line, writer, part):
            yield found


def in_order(lines: Iterable[LogLine]) -> list[LogLine]:
    """By when each began; of two at once the one that took longer is about the other, and first;
    of two that took equally long the caller's is."""
    return sorted(lines, key=_place)


def _place(line: LogLine) -> tuple[datetime, float, bool]:
    received = line.entry.get("direction") == "inbound"
    return _time(line.began) or _LATEST, -_took(line), received


def _lines_with(text: mmap.mmap, needle: bytes) -> Iterator[bytes]:
    at = 0
    while (found := text.find(needle, at)) >= 0:
        begin, end = text.rfind(b"\n", 0, found) + 1, text.find(b"\n", found)
        if end < 0:
            return
        yield text[begin:end]
        at = end + 1


def _entry(data: bytes) -> dict[str, Any]:
    try:
        entry = json.loads(data)
    except ValueError:
        entry = None
    return entry if isinstance(entry, dict) else {"text": data.decode(errors="replace")}


def _began(entry: dict[str, Any], part: Part) -> str:
    """Envoy writes when a request began; an app writes when it was over, and how long it took."""
    time = next((t for key in _TIMES if (t := _time(entry.get(key)))), None)
    if time is None:
        return ""
    if part == "app":
        time -= timedelta(milliseconds=_number(entry.get("ms")))
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _time(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(value))
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _took(line: LogLine) -> float:
    return _number(line.entry.get("duration_ms" if line.part == "sidecar" else "ms"))


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and abs(value) < 1e9 else 0.0
