"""Start a daemon that holds nothing of its caller's, and wait for its first report."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn

from meshproof.cli.interrupts import Interrupted, interrupts
from meshproof.cli.output import ForwardedError, format_error
from meshproof.errors import MeshproofError
from meshproof.progress import report_progress

Report = Callable[[dict[str, Any]], None]


def daemonise(name: str, body: Callable[[Report], None]) -> dict[str, Any]:
    """Run ``body`` in a daemon, and return its first report.

    ``body`` gets a function to report with, which raises BrokenPipeError when the caller is gone.
    A report with ``waiting`` alone is progress: it is passed on to ``meshproof.progress``.
    Raises ForwardedError with the daemon's error text and exit code when it ends before. An
    interrupt of the caller ends the daemon too. Call it before any thread is started: it forks.
    """
    reader, writer = os.pipe()
    sys.stdout.flush()  # else both processes would write what is buffered
    sys.stderr.flush()
    first = os.fork()
    if first == 0:
        os.setsid()
        if os.fork() == 0:
            _daemon(name, writer, body)
        os._exit(0)
    os.close(writer)
    os.waitpid(first, 0)
    with os.fdopen(reader, "r", encoding="utf-8") as reports:
        pid = int(reports.readline())
        try:
            with interrupts(name):
                report = _await_report(reports)
        except Interrupted:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
            reports.read()  # to its end, which is the daemon's
            raise
    if not report:
        raise ForwardedError(f"error: the mesh's process ({pid}) ended without a message", 1)
    if "error" in report:
        raise ForwardedError(report["error"], report["exit_code"])
    return report


def _await_report(reports: Iterable[str]) -> dict[str, Any]:
    """The first report that is not progress; empty where the daemon ended before it."""
    for line in reports:
        report: dict[str, Any] = json.loads(line)
        if "waiting" not in report:
            return report
        report_progress(report["waiting"])
    return {}


class _Caller:
    """The daemon's end of the pipe to its caller. It is closed with the first report that is not
    progress; later ones are dropped."""

    def __init__(self, writer: int) -> None:
        self._pipe = os.fdopen(writer, "w", encoding="utf-8")
        self._lock = threading.Lock()

    def send_pid(self) -> None:
        self._pipe.write(f"{os.getpid()}\n")
        self._pipe.flush()

    def send(self, report: dict[str, Any]) -> None:
        """Raises BrokenPipeError where the caller is gone."""
        with self._lock:
            if self._pipe.closed:
                return
            self._pipe.write(json.dumps(report) + "\n")
            self._pipe.flush()
            if "waiting" not in report:
                self._pipe.close()

    def send_failure(self, text: str, exit_code: int) -> None:
        with contextlib.suppress(OSError):
            self.send({"error": text, "exit_code": exit_code})


def _daemon(name: str, writer: int, body: Callable[[Report], None]) -> NoReturn:
    code = 1
    try:
        _detach(writer)
        caller = _Caller(writer)
        caller.send_pid()
        with interrupts(name):
            body(caller.send)
        code = 0
    except Interrupted as interrupt:
        code = interrupt.exit_code
        caller.send_failure(f"error: the mesh {name} was told to end before it was live", code)
    except BaseException as failure:  # whatever it is, the caller must learn of it
        code = getattr(failure, "exit_code", 1)
        expected = isinstance(failure, MeshproofError)
        text = format_error(failure) if expected else traceback.format_exc().rstrip()
        caller.send_failure(text, code)
    finally:
        os._exit(code)


def _detach(pipe: int) -> None:
    """Close every descriptor but ``pipe``; 0, 1 and 2 become /dev/null."""
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    for number in [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]:
        if number > 2 and number != pipe:
            with contextlib.suppress(OSError):  # the one that listed the folder
                os.close(number)


def redirect_output(log: Path) -> None:
    """From now on standard output and error go to a file."""
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
