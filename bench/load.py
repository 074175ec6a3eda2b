"""The parent's side of ``bench.client``: start it, stop it, and read what it saw."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

from bench.client import Seen, Settings
from bench.figures import percentile

ROOT = Path(__file__).parents[1]
WARM = 0.3
"""Seconds at the start of a bounded load that are left out: connections and caches are new."""


class LoadError(Exception):
    """The client did not do what was asked; the text has its own words."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one load saw, the warm-up left out."""

    seen: Seen
    seconds: float
    sent: int
    """Requests of the whole load, the warm-up's among them."""

    @property
    def rate(self) -> float:
        """Good answers a second."""
        return sum(self.seen.good) / self.seconds

    @property
    def failed(self) -> int:
        return self.seen.good.count(False)

    def latency(self, percent: float) -> float:
        return percentile(self.seen.took, percent)


def settings_for(url: str, **more: object) -> Settings:
    """``url`` is ``http://ip:port/path``."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    return Settings(parts.hostname, parts.port, parts.path or "/", **more)  # type: ignore[arg-type]  # Settings' own fields


class Load:
    """A client at work. As a context manager its process ends on the way out."""

    def __init__(self, settings: Settings) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.client", json.dumps(asdict(settings))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
        )

    def stop(self, within: float = 60.0) -> Seen:
        """End an open load, or wait for the end of a bounded one. Raises LoadError."""
        out, error = self._process.communicate(timeout=within)
        if self._process.returncode != 0:
            raise LoadError(f"the load client failed: {error.decode(errors='replace').strip()}")
        return Seen(**json.loads(out))

    def wait(self, within: float = 60.0) -> Seen:
        """Let a bounded load run its time: standard input stays open."""
        assert self._process.stdout is not None
        out = self._process.stdout.read()
        _, error = self._process.communicate(timeout=within)
        if self._process.returncode != 0:
            raise LoadError(f"the load client failed: {error.decode(errors='replace').strip()}")
        return Seen(**json.loads(out))

    def __enter__(self) -> Load:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


def run(settings: Settings) -> Result:
    """A load of ``settings.seconds``, the warm-up before it."""
    longer = Settings(**{**asdict(settings), "seconds": settings.seconds + WARM})
    with Load(longer) as load:
        return warmed(load.wait(), settings.seconds)


def warmed(seen: Seen, seconds: float) -> Result:
    """Leave out what was sent during the warm-up. Pure. Raises LoadError when nothing is left."""
    begin = min(seen.sent, default=0.0) + WARM
    kept = [i for i, sent in enumerate(seen.sent) if sent >= begin]
    if not kept:
        raise LoadError(f"no request in {seconds:g} s of load")
    columns = {n: [getattr(seen, n)[i] for i in kept] for n in Seen.__slots__}
    return Result(Seen(**columns), seconds, len(seen.sent))


def answered(url: str, expect: str, within: float = 30.0) -> None:
    """Return at the first answer that is 200 and holds ``expect``. Raises LoadError."""
    deadline = time.monotonic() + within
    last = ""
    while time.monotonic() < deadline:
        last = _ask(url)
        if last.startswith("200 ") and expect in last:
            return
        time.sleep(0.002)  # nobody tells an outsider when a mesh has begun to answer
    raise LoadError(f"{url}: no good answer within {within:g} s; the last: {last[:200]}")


def _ask(url: str) -> str:
    import http.client  # noqa: PLC0415 - the timed child imports it before its clock runs

    parts = urlsplit(url)
    assert parts.hostname is not None
    connection = http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=5)
    try:
        connection.request("GET", parts.path or "/")
        response = connection.getresponse()
        return f"{response.status} {response.read().decode(errors='replace')}"
    except OSError as error:
        return str(error)
    finally:
        connection.close()


def failed_of(results: Sequence[Result]) -> int:
    """How many answers of several loads were not good."""
    return sum(r.failed for r in results)
