"""Asks a Prometheus by its HTTP API, wherever it runs."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from meshproof.errors import MeshproofError

_PAUSE = 0.05


@dataclass(frozen=True, slots=True)
class Value:
    """One series of an instant query's answer."""

    labels: Mapping[str, str]
    value: float


class Prometheus:
    """``url`` is ``http://ip:port`` or has a path before the API's."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def get(self, path: str) -> bytes:
        """Raises OSError; an HTTP status that is an error is one (``urllib.error.HTTPError``)."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{self.url}{path}", timeout=10) as answer:
            found: bytes = answer.read()
        return found

    def query(self, expression: str) -> list[Value]:
        """An instant query, now. Raises MeshproofError with Prometheus' own words for an
        expression that it does not take."""
        try:
            said = json.loads(self.get(f"/api/v1/query?{urlencode({'query': expression})}"))["data"]
        except urllib.error.HTTPError as error:
            why = json.loads(error.read()).get("error", "")
            raise MeshproofError(f"prometheus refuses {expression}: {why}") from None
        if said["resultType"] == "scalar":
            return [Value({}, float(said["result"][1]))]
        return [Value(one["metric"], float(one["value"][1])) for one in said["result"]]

    def total(self, expression: str) -> float:
        """The sum of a query's values; 0 for none."""
        return sum(found.value for found in self.query(expression))

    def seen(self, since: float, times: int = 2, within: float = 60.0) -> None:
        """Return when every target has been scraped ``times`` times after ``since`` (seconds since
        1970). Envoy's histograms are a scrape behind its counters, so twice is all of them.

        Raises MeshproofError with the targets that were not, and why.
        """
        deadline = time.monotonic() + within
        while missing := self._unseen(since, times):
            if time.monotonic() > deadline:
                raise MeshproofError(f"not scraped within {within:g} s: {'; '.join(missing)}")
            time.sleep(_PAUSE)  # Prometheus tells nobody of a scrape

    def _unseen(self, since: float, times: int) -> list[str]:
        span = max(1, round((time.time() - since) * 1000))
        found = self.query(f"count_over_time(up[{span}ms]) and up == 1")
        counted = {v.labels["instance"] + v.labels.get("pod", ""): v.value for v in found}
        active = json.loads(self.get("/api/v1/targets?state=active"))["data"]["activeTargets"]
        if not active:
            return ["there is no target yet"]
        return [
            f"{labels.get('pod', labels['instance'])} ({target['lastError'] or 'not yet'})"
            for target in active
            if counted.get((labels := target["labels"])["instance"] + labels.get("pod", ""), 0)
            < times
        ]
