"""Show on standard error what a command is waiting for.

On a terminal, one line that is overwritten; elsewhere a plain line now and then, so that a log
shows that the command is alive; with ``-v`` every line with its time; with ``-q`` nothing.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator

from meshproof import progress
from meshproof.cli.output import Verbosity, print_message, verbosity

INTERVAL = 15.0
"""Seconds between two lines where there is no terminal."""
Callback = Callable[[str], None]


class _Handler(logging.Handler):
    def __init__(self, callback: Callback) -> None:
        super().__init__()
        self._callback = callback

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(OSError):  # nobody reads any more: that must not end the work
            self._callback(record.getMessage())


@contextlib.contextmanager
def listen(callback: Callback) -> Iterator[None]:
    """``callback`` gets each line of ``meshproof.progress`` until the end of the block, in the
    thread that reports it."""
    handler = _Handler(callback)
    level, propagate = progress.log.level, progress.log.propagate
    progress.log.setLevel(logging.INFO)
    progress.log.propagate = False
    progress.log.addHandler(handler)
    try:
        yield
    finally:
        progress.log.removeHandler(handler)
        progress.log.setLevel(level)
        progress.log.propagate = propagate


@contextlib.contextmanager
def show_progress(title: str) -> Iterator[None]:
    """Show the progress of the block as the verbosity says; ``title`` until there is any."""
    if verbosity() is Verbosity.QUIET:
        yield
        return
    if verbosity() is Verbosity.VERBOSE:
        began = time.monotonic()
        with listen(lambda line: print_message(f"{time.monotonic() - began:7.2f} s  {line}")):
            yield
    elif sys.stderr.isatty():
        with _status_line(title) as show, listen(show):
            yield
    else:
        with _repeat_last_line(title) as show, listen(show):
            yield


@contextlib.contextmanager
def _status_line(title: str) -> Iterator[Callback]:
    from rich.console import Console  # noqa: PLC0415 (slow, and only terminals want it)
    from rich.text import Text  # noqa: PLC0415

    with Console(stderr=True).status(Text(title)) as status:
        yield lambda line: status.update(Text(line))


@contextlib.contextmanager
def _repeat_last_line(title: str) -> Iterator[Callback]:
    last = [title]
    ended = threading.Event()
    began = time.monotonic()

    def repeat() -> None:
        while not ended.wait(INTERVAL):
            print_message(f"{time.monotonic() - began:.0f} s: {last[0]}")

    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield lambda line: last.__setitem__(0, line)
    finally:
        ended.set()
        thread.join()
