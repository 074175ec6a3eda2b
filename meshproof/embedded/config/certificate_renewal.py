"""Certificates are renewed at half of their lifetime, by the clock that they are judged by.

A machine that slept has aged its certificates and not the event loop's clock, so the wall clock is
looked at. A renewal that did not come through is tried again at the next look.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from meshproof.embedded.config.certificate_authority import LIFETIME
from meshproof.errors import MeshproofError

LOOK_EVERY = 60.0
"""Seconds between two looks at the clock."""
_log = logging.getLogger("meshproof")


async def keep_renewed(
    renew: Callable[[], Awaitable[object]], now: Callable[[], float] = time.time
) -> None:
    """Call ``renew`` whenever it is due, until cancelled; certificates are fresh at the start."""
    half = LIFETIME.total_seconds() / 2
    due = now() + half
    while True:
        await asyncio.sleep(LOOK_EVERY)
        if now() < due:
            continue
        try:
            await renew()
            due = now() + half
        except MeshproofError as error:
            _log.warning("certificates are not renewed yet: %s", error)
