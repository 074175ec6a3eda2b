"""Progress messages: what a command is waiting for.

They go to a logger, whose handlers decide how to show them; without one they are dropped.
"""

from __future__ import annotations

import logging

log = logging.getLogger("meshproof.progress")


def report_progress(text: str) -> None:
    """``text`` is one short line: what is awaited, and why it is not ready yet."""
    log.info("%s", text)
