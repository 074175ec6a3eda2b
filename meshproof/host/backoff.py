"""Delays before a process that has ended is started again."""

from __future__ import annotations

_DELAYS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_FORGET_AFTER = 30.0
"""Seconds without an exit after which the next one counts as the first (the kubelet: 600)."""


class Backoff:
    """Delays that grow with every exit in a row. Pure: the caller passes the time."""

    def __init__(self) -> None:
        self._in_a_row = 0
        self._last = float("-inf")

    def delay(self, now: float) -> float:
        """Seconds to wait; ``now`` is when it ended, on a monotonic clock."""
        if now - self._last > _FORGET_AFTER:
            self._in_a_row = 0
        delay = _DELAYS[min(self._in_a_row, len(_DELAYS) - 1)]
        self._in_a_row += 1
        self._last = now + delay
        return delay
