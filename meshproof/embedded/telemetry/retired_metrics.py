"""What replicas that have ended had counted: a replaced replica's requests were requests too."""

from __future__ import annotations

from collections.abc import Mapping

from meshproof.telemetry.prometheus import Families, keep_cumulative

MOST = 100
"""Replicas that are remembered; of more, the newest."""


class RetiredMetrics:
    """For as long as the mesh runs; a pod on a cluster takes its counts along."""

    def __init__(self) -> None:
        self._pages: dict[str, tuple[str, str, Families]] = {}
        self.forgotten = 0
        """Replicas that are no longer remembered."""

    def keep(self, namespace: str, pod: str, ip: str, page: Families) -> None:
        """``page`` is the last that could be read of a replica that takes no request any more."""
        self._pages[pod] = namespace, ip, keep_cumulative(page)
        while len(self._pages) > MOST:
            del self._pages[next(iter(self._pages))]
            self.forgotten += 1

    def pages(self) -> Mapping[str, tuple[str, str, Families]]:
        """Pod -> its namespace, the address that it had, and what it had counted."""
        return dict(self._pages)
