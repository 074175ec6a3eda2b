"""Runs a session's shell, and ends it and its meshes when the session is over.

``python -m tools.doc_runner.keeper FD``. The session holds the other end of FD: the kernel closes
it however the session ends, SIGKILL included.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from meshproof.cli.commands import down
from meshproof.host import registry

_PATIENCE = 5.0
"""Seconds that a running command gets to end by itself: an ``up`` on its way ends its mesh."""
_POLL = 0.02


def main() -> int:
    """Exit code 0 when everything was ended; else 1, and why is printed."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    life = int(sys.argv[1])
    with tempfile.TemporaryDirectory(prefix="meshproof-walk-") as folder:
        os.environ["MESHPROOF_STATE"] = str(Path(folder) / "state")
        temporary = Path(folder) / "tmp"
        temporary.mkdir()
        shell = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            env={**os.environ, "TMPDIR": str(temporary)},
            process_group=0,
        )
        try:
            _wait(shell, life)
        finally:
            _end(shell)
            problems = _meshes_down()
    with contextlib.suppress(BrokenPipeError):  # the session was killed: nobody reads this
        print("\n".join(problems), flush=True)
    return 1 if problems else 0


def _wait(shell: subprocess.Popen[bytes], life: int) -> None:
    """Until the session or the shell is over."""
    watched = os.pidfd_open(shell.pid)
    try:
        select.select([life, watched], [], [])
    finally:
        os.close(watched)


def _end(shell: subprocess.Popen[bytes]) -> None:
    """The shell and whatever it still runs."""
    deadline = time.monotonic() + _PATIENCE
    with contextlib.suppress(ProcessLookupError):
        os.killpg(shell.pid, signal.SIGTERM)
        while time.monotonic() < deadline:
            shell.poll()  # a shell that is not waited for would be counted as there
            os.killpg(shell.pid, 0)
            time.sleep(_POLL)
        os.killpg(shell.pid, signal.SIGKILL)
    shell.wait()


def _meshes_down() -> list[str]:
    """Why meshes could not be ended; nothing where all are gone."""
    problems = []
    with (
        Path(os.devnull).open("w", encoding="utf-8") as nowhere,
        contextlib.redirect_stderr(nowhere),
    ):
        for entry in registry.list_running():
            try:
                down.down(entry.name)
            except Exception as error:  # the next one is ended all the same
                problems.append(f"{entry.name}: {error}")
    return problems


if __name__ == "__main__":
    sys.exit(main())
