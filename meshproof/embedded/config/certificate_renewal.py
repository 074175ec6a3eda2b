"""Renews certificates at half of their lifetime, by the wall clock.

While a machine sleeps, its certificates age and the event loop's clock stands still. A renewal that
failed is tried again at the next check.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from meshproof.embedded.config.certificate_authority import LIFETIME
from meshproof.errors import MeshproofError

CHECK_EVERY = 60.0
"""Seconds between two checks of the clock."""
_log = logging.getLogger("meshproof")


async def keep_renewed(
    renew: Callable[[], Awaitable[object]], now: Callable[[], float] = time.time
) -> None:
    """Call ``renew`` whenever it is due, until cancelled; certificates are fresh at the start."""
    half = LIFETIME.total_seconds() / 2
    due = now() + half
    while True:
        await asyncio.sleep(CHECK_EVERY)
        if now() < due:
            continue
        try:
            await renew()
            due = now() + half
        except MeshproofError as error:
            _log.warning("certificates are not renewed yet: %s", error)
