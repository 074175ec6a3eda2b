"""How long to wait before something that ended is started again."""

from __future__ import annotations

_DELAYS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_FORGET_AFTER = 30.0
"""Seconds without an end, after which the next one counts as the first (the kubelet: 600)."""


class Backoff:
    """Seconds to wait, longer each time in a row. Pure: the caller brings the time."""

    def __init__(self) -> None:
        self._in_a_row = 0
        self._last = float("-inf")

    def delay(self, now: float) -> float:
        """``now`` is when it ended, on a clock that only goes forward."""
        if now - self._last > _FORGET_AFTER:
            self._in_a_row = 0
        chosen = _DELAYS[min(self._in_a_row, len(_DELAYS) - 1)]
        self._in_a_row += 1
        self._last = now + chosen
        return chosen
