"""The users that processes of a mesh may have."""

from __future__ import annotations

import os
import pwd


def may_run_as(user: int) -> bool:
    """Whether a process may: every mesh has its own caller's, and root's the machine's others. One
    that the machine does not know could read none of the programs that stand for an image."""
    if user == os.geteuid():
        return True
    try:
        return os.geteuid() == 0 and bool(pwd.getpwuid(user))
    except KeyError:
        return False
