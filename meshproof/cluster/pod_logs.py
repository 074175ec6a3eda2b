"""The logs of pods, of which only what is new is fetched each time."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlencode

_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d) ")
_AGAIN = timedelta(seconds=1)
"""Lines of a container's two streams may not stand in its log in the order of their times."""


class PodLogs:
    """Keeps what it has read. Callable from any thread.

    Kubernetes reads a log from a time on (``sinceTime``), to the second. So the last two seconds
    are read again, and replace what was known of them.
    """

    def __init__(self, api: Callable[[str], bytes]) -> None:
        """``api`` gets a path of the API server."""
        self._api = api
        self._logs: dict[tuple[str, str, str], _Log] = {}
        self._lock = threading.Lock()

    def read(self, namespace: str, pod: str, container: str) -> str:
        """The whole log; also what the kubelet has rotated away since the first time."""
        with self._lock:
            log = self._logs.setdefault((namespace, pod, container), _Log())
        with log.lock:
            query = {"container": container, "timestamps": "true"}
            if log.since:
                query["sinceTime"] = log.since
            path = f"/api/v1/namespaces/{namespace}/pods/{pod}/log?{urlencode(query)}"
            log.add(self._api(path).decode(errors="replace"))
            return log.text()


class _Log:
    """Lines: the complete ones, and those from ``since`` on."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.since = ""
        """Empty, or a time that Kubernetes reads."""
        self._complete: list[str] = []
        self._recent: list[str] = []

    def add(self, text: str) -> None:
        """All lines from ``since`` on, with a timestamp each."""
        pairs = [_split(line) for line in text.splitlines(keepends=True)]
        times = [time for time, _line in pairs if time is not None]
        if not times:
            return
        since = times[-1] - _AGAIN
        lines = [line for _time, line in pairs]
        start = next(n for n, (time, _line) in enumerate(pairs) if time and time >= since)
        self._complete += lines[:start]
        self._recent = lines[start:]
        self.since = since.isoformat()

    def text(self) -> str:
        return "".join([*self._complete, *self._recent])


def _split(line: str) -> tuple[datetime | None, str]:
    """Its time, to the second, and the rest."""
    match = _TIME.match(line)
    if match is None:
        return None, line
    return datetime.fromisoformat(f"{match.group(1)}{match.group(2)}"), line[match.end() :]
