"""Runs a command where nothing can leave: in a network namespace that has only loopback.

``python -m tools.offline [--if-possible] COMMAND...``. Needs no root: another user gets a user
namespace too, in which every process keeps that user. ``--if-possible`` runs the command all the
same where the machine forbids it, and says so.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from meshproof.host import namespaces, netlink


def enter() -> None:
    """Move this process into such a namespace. Raises OSError where the machine forbids it."""
    if os.geteuid() == 0:
        namespaces.unshare(namespaces.NEW_NET)
    else:
        user, group = os.geteuid(), os.getegid()
        namespaces.unshare(namespaces.NEW_USER | namespaces.NEW_NET)
        own = Path("/proc/self")
        (own / "setgroups").write_text("deny")
        (own / "uid_map").write_text(f"{user} {user} 1")
        (own / "gid_map").write_text(f"{group} {group} 1")
    netlink.bring_up_loopback()


def main() -> None:
    lenient = sys.argv[1:2] == ["--if-possible"]
    command = sys.argv[2:] if lenient else sys.argv[1:]
    if not command:
        sys.exit("usage: python -m tools.offline [--if-possible] COMMAND...")
    try:
        enter()
    except OSError as error:
        if not lenient:
            raise
        print(f"not in a network of its own: {error}", file=sys.stderr)
    os.execvp(command[0], command)  # noqa: S606  (this process becomes the command)


if __name__ == "__main__":
    main()
