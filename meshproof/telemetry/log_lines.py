"""The lines of one request or run in the logs of apps and sidecars.

A line of an app belongs to a trace when it contains the trace id, as JSON or as plain text. It
belongs to a run only when it is JSON with that ``run_id``: callers choose run ids freely, and
``1`` is in many lines.
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
    """When the writer began with the request, ISO 8601 in UTC to the millisecond; empty where the
    line does not tell."""
    writer: str
    """A replica, a gateway, or an outside host."""
    part: Part
    entry: dict[str, Any]
    """The line's JSON object; ``{"text": ...}`` for any other line."""


class LineFilter:
    """Selects the lines of a trace, or of a run."""

    def __init__(self, trace_id: str = "", run_id: str = "") -> None:
        """Raises UsageError for both, for neither, and for a trace id that is none."""
        if bool(trace_id) == bool(run_id):
            raise UsageError("logs: wanted one of --trace ID and --run ID")
        self._trace, self._run = trace_id.lower().lstrip("0"), run_id
        if trace_id and not (self._trace and _TRACE.fullmatch(self._trace)):
            raise UsageError(
                f"--trace: {trace_id[:60]!r} is not a trace id; wanted up to 32 of 0-9 and a-f, as "
                "an answer's trace_id or `meshproof spans` shows it"
            )
        self.needle = (self._trace or run_id).encode()

    def line(self, data: bytes, writer: str, part: Part) -> LogLine | None:
        """The line, if it is selected; else None."""
        if self.needle not in data:
            return None
        entry = _entry(data)
        if not self._matches(entry) or entry.get("direction") == "probe":
            return None
        return LogLine(_began(entry, part), writer, part, entry)

    def _matches(self, entry: dict[str, Any]) -> bool:
        if self._run:
            return entry.get("run_id") == self._run
        trace_id = entry.get("trace_id")
        # A line with a trace_id of its own may name other traces too: a link, a request's text.
        return not isinstance(trace_id, str) or trace_id.lower().lstrip("0") in ("", self._trace)


def read_file(path: Path, writer: str, part: Part, lines: LineFilter) -> Iterator[LogLine]:
    """The selected lines of a file. Long files are searched, not read. An unfinished last line is
    left out."""
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        if file.seek(0, 2):
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
                for data in _lines_with(text, lines.needle):
                    if line := lines.line(data, writer, part):
                        yield line


def read_text(text: str, writer: str, part: Part, lines: LineFilter) -> Iterator[LogLine]:
    """The selected lines of a log that is in memory."""
    for data in text.encode().splitlines():
        if line := lines.line(data, writer, part):
            yield line


def sort_lines(lines: Iterable[LogLine]) -> list[LogLine]:
    """By their beginning. Of two at the same time the longer one caused the other, and is first;
    of two of the same duration the caller's is first."""
    return sorted(lines, key=_sort_key)


def _sort_key(line: LogLine) -> tuple[datetime, float, bool]:
    received = line.entry.get("direction") == "inbound"
    return _time(line.began) or _LATEST, -_duration(line), received


def _lines_with(text: mmap.mmap, needle: bytes) -> Iterator[bytes]:
    start = 0
    while (match := text.find(needle, start)) >= 0:
        begin, end = text.rfind(b"\n", 0, match) + 1, text.find(b"\n", match)
        if end < 0:
            return
        yield text[begin:end]
        start = end + 1


def _entry(data: bytes) -> dict[str, Any]:
    try:
        entry = json.loads(data)
    except ValueError:
        entry = None
    return entry if isinstance(entry, dict) else {"text": data.decode(errors="replace")}


def _began(entry: dict[str, Any], part: Part) -> str:
    """Envoy logs when a request began; an app logs when it was over, and how long it took."""
    time = next((t for key in _TIMES if (t := _time(entry.get(key)))), None)
    if time is None:
        return ""
    if part == "app":
        time -= timedelta(milliseconds=_number(entry.get("ms")))
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _time(value: object) -> datetime | None:
    try:
        time = datetime.fromisoformat(str(value))
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _duration(line: LogLine) -> float:
    return _number(line.entry.get("duration_ms" if line.part == "sidecar" else "ms"))


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and abs(value) < 1e9 else 0.0
