"""What is being waited for, said as it changes. By logging: who shows it decides how, or not at
all; nothing is said to nobody."""

from __future__ import annotations

import logging

log = logging.getLogger("meshproof.progress")


def report_progress(text: str) -> None:
    """``text`` is one short line: what is waited for, and why it is not there yet."""
    log.info("%s", text)
