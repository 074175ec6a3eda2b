"""Metrics of replicas that have ended: the requests of a replaced replica still count."""

from __future__ import annotations

from collections.abc import Mapping

from meshproof.telemetry.prometheus import Families, keep_cumulative

MAX_REPLICAS = 100
"""The newest so many are kept."""


class RetiredMetrics:
    """Kept as long as the mesh runs; on a cluster, a pod's metrics end with it."""

    def __init__(self) -> None:
        self._pages: dict[str, tuple[str, str, Families]] = {}
        self.forgotten = 0
        """How many replicas are no longer kept."""

    def keep(self, namespace: str, pod: str, ip: str, page: Families) -> None:
        """``page`` is the last scrape of a replica that takes no request any more."""
        self._pages[pod] = namespace, ip, keep_cumulative(page)
        while len(self._pages) > MAX_REPLICAS:
            del self._pages[next(iter(self._pages))]
            self.forgotten += 1

    def pages(self) -> Mapping[str, tuple[str, str, Families]]:
        """Pod -> its namespace, the address that it had, and its metrics."""
        return dict(self._pages)
