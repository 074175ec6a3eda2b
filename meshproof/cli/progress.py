"""Shows what is being waited for, on standard error.

On a terminal one line that is written over; elsewhere a plain line now and then, so that a log
shows that it goes on; with ``-v`` every line with its time; with ``-q`` nothing.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator

from meshproof import progress
from meshproof.cli.output import Volume, say, volume

PATIENCE = 15.0
"""Seconds without a word after which one is said where nobody sees a line change."""
Tell = Callable[[str], None]


class _Heard(logging.Handler):
    def __init__(self, tell: Tell) -> None:
        super().__init__()
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(OSError):  # nobody listens any more: that is another's matter
            self._tell(record.getMessage())


@contextlib.contextmanager
def heard(tell: Tell) -> Iterator[None]:
    """``tell`` gets each line, from whichever thread says it, until the end of the block."""
    handler = _Heard(tell)
    before = progress.log.level, progress.log.propagate
    progress.log.setLevel(logging.INFO)
    progress.log.propagate = False
    progress.log.addHandler(handler)
    try:
        yield
    finally:
        progress.log.removeHandler(handler)
        progress.log.setLevel(before[0])
        progress.log.propagate = before[1]


@contextlib.contextmanager
def shown(what: str) -> Iterator[None]:
    """``what`` is waited for in the block; what is heard meanwhile is shown as the volume says."""
    if volume() is Volume.QUIET:
        yield
        return
    if volume() is Volume.VERBOSE:
        began = time.monotonic()
        with heard(lambda line: say(f"{time.monotonic() - began:7.2f} s  {line}")):
            yield
    elif sys.stderr.isatty():
        with _line(what) as tell, heard(tell):
            yield
    else:
        with _now_and_then(what) as tell, heard(tell):
            yield


@contextlib.contextmanager
def _line(what: str) -> Iterator[Tell]:
    from rich.console import Console  # noqa: PLC0415 (slow, and only terminals want it)
    from rich.text import Text  # noqa: PLC0415

    with Console(stderr=True).status(Text(what)) as status:
        yield lambda line: status.update(Text(line))


@contextlib.contextmanager
def _now_and_then(what: str) -> Iterator[Tell]:
    last = [what]
    ended = threading.Event()
    began = time.monotonic()

    def repeat() -> None:
        while not ended.wait(PATIENCE):
            say(f"{time.monotonic() - began:.0f} s: {last[0]}")

    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield lambda line: last.__setitem__(0, line)
    finally:
        ended.set()
        thread.join()
