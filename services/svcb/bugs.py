"""Bugs on purpose, for the proofs of a release that must be rolled back and of an
account that must not add up. Off by default."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

from services.common.errors import ApiError


@dataclass(frozen=True, slots=True)
class PlannedBugs:
    """``FAIL_PERCENT`` of the notifications answer 500 and reach nobody; ``LIE_PERCENT`` of the
    others answer that they were sent, and reach nobody; all of them take ``DELAY_MS`` longer."""

    fail_percent: float = 0.0
    delay_ms: float = 0.0
    lie_percent: float = 0.0

    def strike(self) -> None:
        """Wait, then raise ApiError in as many of the calls as planned, each by its own chance."""
        if self.delay_ms:
            time.sleep(self.delay_ms / 1000)
        if random.random() * 100 < self.fail_percent:  # noqa: S311 (no secret)
            raise ApiError(500, "planned bug", f"FAIL_PERCENT is {self.fail_percent:g}")

    def lies(self) -> bool:
        """Whether this call is to be answered without being made."""
        return random.random() * 100 < self.lie_percent  # noqa: S311 (no secret)
