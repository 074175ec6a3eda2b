"""Starts Locust quickly, over and over: imports it once, and forks a process for each load.

``python -m meshproof.traffic.fork_server FD``; FD is a connected stream socket on which requests
come (``meshproof.traffic.locust_process`` sends them). Locust's imports cost a second of processor
time, and a suite of proofs starts dozens of loads.

For each request a watcher is forked, and by that one Locust. The watcher writes Locust's pid to the
request's own connection, then its exit code. Nothing outlives the parent: its end closes the
socket, and the pipe that is Locust's standard input, however it ends, SIGKILL included. (A
parent-death signal would be bound to the thread that started the process.)
"""

from __future__ import annotations

import _thread
import gc
import json
import os
import signal
import socket
import struct
import sys
from typing import Any

LENGTH = struct.Struct("!I")
"""Before each request: its length in bytes."""
FDS = 3
"""Come with the length: Locust's standard input, its log, and the connection for pid and code."""

# Before gevent replaces them by what works in its loop, which the server must not have.
_close, _fork, _waitpid = os.close, os.fork, os.waitpid
_signal, _start_thread = signal.signal, _thread.start_new_thread


def main() -> None:
    """Serve requests until their sender has ended. In a forked process: run Locust."""
    control = socket.socket(fileno=int(sys.argv[1]))
    _signal(signal.SIGCHLD, signal.SIG_IGN)  # watchers are not waited for
    import gevent  # noqa: PLC0415
    from locust.main import main as locust_main  # noqa: PLC0415 (patches the process)

    import meshproof.traffic.locust_user  # noqa: F401, PLC0415 (what every locustfile imports)

    gc.collect()
    gc.freeze()
    while request := _receive(control):
        order, (stdin, log, connection) = request
        if _fork():
            for fd in (stdin, log, connection):
                _close(fd)
            continue
        control.close()
        _signal(signal.SIGCHLD, signal.SIG_DFL)
        if pid := _fork():
            _close(stdin)
            _watch(pid, connection)
        _close(connection)
        gevent.reinit()  # its imports made a loop, and no two processes may share one
        _become(order, stdin, log)
        locust_main()


def _receive(control: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """A request and its file descriptors; None when the sender has ended."""
    head, fds, _, _ = socket.recv_fds(control, LENGTH.size, FDS)
    if len(head) < LENGTH.size:
        return None
    (size,) = LENGTH.unpack(head)
    body = bytearray()
    while len(body) < size:
        if not (part := control.recv(size - len(body))):
            return None
        body += part
    return json.loads(body), fds


def _watch(pid: int, connection: int) -> None:
    """Report a process; end with it."""
    os.write(connection, f"{pid}\n".encode())
    code = os.waitstatus_to_exitcode(_waitpid(pid, 0)[1])
    os.write(connection, f"{code}\n".encode())
    os._exit(0)


def _become(order: dict[str, Any], stdin: int, log: int) -> None:
    """Make this process what the order says: arguments, environment, folder, files, session."""
    os.setsid()  # Ctrl-C is for the parent, which then stops the load
    for fd, target in ((stdin, 0), (log, 1), (log, 2)):
        os.dup2(fd, target)
    _close(stdin)
    _close(log)
    os.environ.clear()
    os.environ.update(order["env"])
    os.chdir(order["cwd"])
    sys.path[:0] = [p for p in order["path"] if p not in sys.path]
    sys.argv = ["locust", *order["argv"]]
    # A thread of the operating system: it must run whatever gevent's loop does.
    _start_thread(_die_with_parent, ())


def _die_with_parent() -> None:
    """Block on the pipe; when it closes, the parent has ended."""
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
