"""Starts Locust in a process that does not outlive its parent.

``python -m meshproof.traffic.launch LOCUST-ARGUMENTS``. Standard input is a pipe that the parent
holds open and never writes to: the kernel closes it however the parent ends, SIGKILL included. (A
parent-death signal would be bound to the thread that started this process.)
"""

from __future__ import annotations

import _thread
import os
import signal
import sys


def _die_with_parent() -> None:
    """Block on the pipe; when it closes, the parent has ended."""
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Run Locust's own command line with this process's arguments."""
    # A thread of the operating system, started before gevent replaces ``threading``: it must run
    # whatever gevent's loop does.
    _thread.start_new_thread(_die_with_parent, ())
    from locust.main import main as locust_main  # noqa: PLC0415 (patches the process)

    sys.argv[0] = "locust"
    locust_main()


if __name__ == "__main__":
    main()
