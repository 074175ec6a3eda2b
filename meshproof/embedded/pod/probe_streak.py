"""How many equal results a probe needs before they count, as the kubelet counts them. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class ProbeStreak:
    """Equal results in a row: ``failures`` of them make it fail, ``successes`` make it succeed."""

    failures: int
    successes: int
    _failed: bool = False
    _length: int = 0

    def decide(self, *, failed: bool) -> bool | None:
        """Add a result. True once it has succeeded, False once it has failed, None before that."""
        self._length = self._length + 1 if failed is self._failed else 1
        self._failed = failed
        enough = self._length >= (self.failures if failed else self.successes)
        return not failed if enough else None

    def clear(self) -> None:
        self._length = 0
