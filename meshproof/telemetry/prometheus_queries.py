"""Queries a Prometheus by its HTTP API, wherever it runs."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from meshproof.errors import MeshproofError
from meshproof.wait import DeadlineExceeded, until

_PAUSE = 0.05


@dataclass(frozen=True, slots=True)
class Value:
    """One series of an instant query's result."""

    labels: Mapping[str, str]
    value: float


class Prometheus:
    """``url`` is ``http://ip:port``, with a path prefix if there is one."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def get(self, path: str) -> bytes:
        """The body. Raises OSError; ``urllib.error.HTTPError`` is the one for an HTTP error."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{self.url}{path}", timeout=60) as response:
            body: bytes = response.read()
        return body

    def query(self, expression: str) -> list[Value]:
        """An instant query, now. Raises MeshproofError with Prometheus' own message for an
        expression that it refuses."""
        try:
            data = json.loads(self.get(f"/api/v1/query?{urlencode({'query': expression})}"))["data"]
        except urllib.error.HTTPError as error:
            reason = json.loads(error.read()).get("error", "")
            raise MeshproofError(f"prometheus refuses {expression}: {reason}") from None
        if data["resultType"] == "scalar":
            return [Value({}, float(data["result"][1]))]
        return [Value(series["metric"], float(series["value"][1])) for series in data["result"]]

    def total(self, expression: str) -> float:
        """The sum of a query's values; 0 for none."""
        return sum(series.value for series in self.query(expression))

    def wait_for_scrapes(self, since: float, times: int = 2, within: float = 300.0) -> None:
        """Return when every target has been scraped ``times`` times after ``since`` (seconds since
        1970). Envoy's histograms are a scrape behind its counters, so two scrapes have everything.

        Raises MeshproofError with the targets that were not scraped, and why.
        """
        try:
            until(
                lambda: "; ".join(self._missing_scrapes(since, times)),
                "every target is scraped",
                within=within,
                every=_PAUSE,
            )
        except DeadlineExceeded as error:
            raise MeshproofError(f"not scraped within {within:g} s: {error.last}") from None

    def _missing_scrapes(self, since: float, times: int) -> list[str]:
        span = max(1, round((time.time() - since) * 1000))
        series = self.query(f"count_over_time(up[{span}ms]) and up == 1")
        counted = {v.labels["instance"] + v.labels.get("pod", ""): v.value for v in series}
        active = json.loads(self.get("/api/v1/targets?state=active"))["data"]["activeTargets"]
        if not active:
            return ["there is no target yet"]
        return [
            f"{labels.get('pod', labels['instance'])} ({target['lastError'] or 'not yet'})"
            for target in active
            if counted.get((labels := target["labels"])["instance"] + labels.get("pod", ""), 0)
            < times
        ]
