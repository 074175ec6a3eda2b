"""Leave a process behind that holds nothing of its caller's, and wait for its first word."""

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
from meshproof.cli.output import ToldError, format_error
from meshproof.errors import MeshproofError
from meshproof.progress import report_progress

Report = Callable[[dict[str, Any]], None]


def daemonise(name: str, body: Callable[[Report], None]) -> dict[str, Any]:
    """Run ``body`` in a daemon, and return what it reports first but for what it waits for.

    ``body`` gets a function to report with, which raises BrokenPipeError where the caller is gone.
    A report with ``waiting`` alone is passed on to ``meshproof.progress``.
    Raises ToldError with the daemon's error text and exit code when it ends before. An
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
                said = _first_word(reports)
        except Interrupted:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
            reports.read()  # to its end, which is the daemon's
            raise
    if not said:
        raise ToldError(f"error: the mesh's process ({pid}) ended without a word", 1)
    if "error" in said:
        raise ToldError(said["error"], said["exit_code"])
    return said


def _first_word(reports: Iterable[str]) -> dict[str, Any]:
    """Empty where the daemon ended before it."""
    for line in reports:
        said: dict[str, Any] = json.loads(line)
        if "waiting" not in said:
            return said
        report_progress(said["waiting"])
    return {}


class _Caller:
    """The pipe to who waits for the first word; it is closed with that, and never written again.
    What is waited for until then does not count as one."""

    def __init__(self, writer: int) -> None:
        self._out = os.fdopen(writer, "w", encoding="utf-8")
        self._lock = threading.Lock()

    def hear_pid(self) -> None:
        self._out.write(f"{os.getpid()}\n")
        self._out.flush()

    def hear(self, said: dict[str, Any]) -> None:
        """Raises BrokenPipeError where the caller is gone."""
        with self._lock:
            if self._out.closed:
                return
            self._out.write(json.dumps(said) + "\n")
            self._out.flush()
            if "waiting" not in said:
                self._out.close()

    def hear_failure(self, text: str, exit_code: int) -> None:
        with contextlib.suppress(OSError):
            self.hear({"error": text, "exit_code": exit_code})


def _daemon(name: str, writer: int, body: Callable[[Report], None]) -> NoReturn:
    code = 1
    try:
        _let_go(writer)
        caller = _Caller(writer)
        caller.hear_pid()
        with interrupts(name):
            body(caller.hear)
        code = 0
    except Interrupted as interrupt:
        code = interrupt.exit_code
        caller.hear_failure(f"error: the mesh {name} was told to end before it was live", code)
    except BaseException as failure:  # whatever it is, the caller must learn of it
        code = getattr(failure, "exit_code", 1)
        known = isinstance(failure, MeshproofError)
        caller.hear_failure(
            format_error(failure) if known else traceback.format_exc().rstrip(), code
        )
    finally:
        os._exit(code)


def _let_go(kept: int) -> None:
    """Close every descriptor but ``kept``; 0, 1 and 2 become /dev/null."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    for number in [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]:
        if number > 2 and number != kept:
            with contextlib.suppress(OSError):  # the one that listed the folder
                os.close(number)


def write_to(log: Path) -> None:
    """From now on standard output and error go to a file."""
    opened = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    os.dup2(opened, 1)
    os.dup2(opened, 2)
    os.close(opened)
