"""Ctrl-C and SIGTERM while a mesh is up: the first ends it cleanly, the second at once."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from types import FrameType

from meshproof.host import registry

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(KeyboardInterrupt):
    """A signal asked for the end; ``exit_code`` is the one that a shell shows for it."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.exit_code = 128 + number


@contextlib.contextmanager
def interrupts(name: str) -> Iterator[None]:
    """Raise Interrupted in the main thread on the first signal; exit at once on the second.

    Exiting at once is safe: the supervisor sees the death of this process and ends everything
    else, and the name of the mesh is dropped here.
    """
    interrupted = False

    def on_signal(number: int, _frame: FrameType | None) -> None:
        nonlocal interrupted
        if interrupted:
            registry.drop(name)
            os._exit(128 + number)
        interrupted = True
        raise Interrupted(number)

    handlers = {number: signal.signal(number, on_signal) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
