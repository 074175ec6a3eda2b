"""One shell in which a page's commands run, one after another, as its reader's would.

The session has meshes of its own: a private ``MESHPROOF_STATE``, a name of its own in
``MESHPROOF_NAME``, a private folder for temporary files; this Python's commands (``meshproof``
too) come first on ``PATH``. When it closes, or when this process dies in whatever way, its
keeper (``tools.doc_runner.keeper``) ends the shell and every mesh that was started in it.
"""

from __future__ import annotations

import os
import re
import secrets
import select
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import meshproof
from meshproof.errors import MeshproofError

_CLOSING = 60.0
"""Seconds that the end may take: it is the end of meshes, which is awaited."""


class SessionError(MeshproofError):
    """The shell is gone, or a command did not end in time."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command did."""

    code: int
    output: str
    """Standard output and standard error as they came; the session's mesh is ``meshproof``."""


_OURS = ("MESHPROOF_", "PYTEST_")
"""Variables of who walks the page, a worker of pytest-xdist perhaps; a page has its own."""
_KEPT = "MESHPROOF_PODS"
"""Whether the mesh has pods is for whoever walks to say."""


class Session:
    """A context manager; ``run`` works within it. Needs ``bash`` on ``PATH``."""

    def __init__(self, folder: Path, *, environment: Mapping[str, str] | None = None) -> None:
        """``folder`` is where the commands start; ``environment`` is added to this process's."""
        self.name = f"walk-{os.getpid()}-{secrets.token_hex(3)}"
        self._folder = folder
        self._environment = environment or {}
        self._process: subprocess.Popen[bytes] | None = None
        self._life = -1

    def __enter__(self) -> Session:
        ours, self._life = os.pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tools.doc_runner.keeper", str(ours)],
                cwd=self._folder,
                env=self._variables(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(ours,),
                start_new_session=True,  # Ctrl-C is for this process, which then ends all
            )
        finally:
            os.close(ours)
        return self

    def _variables(self) -> dict[str, str]:
        package = str(Path(meshproof.__file__).parents[1])
        inherited = {k: v for k, v in os.environ.items() if k == _KEPT or not k.startswith(_OURS)}
        return {
            **inherited,
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "PYTHONPATH": os.pathsep.join(filter(None, (package, inherited.get("PYTHONPATH")))),
            "MESHPROOF_NAME": self.name,
            "NO_COLOR": "1",
            "LC_ALL": "C.UTF-8",
            **self._environment,
        }

    def run(
        self, command: str, *, within: float = 120.0, show: Callable[[str], object] | None = None
    ) -> Ran:
        """Run one command and wait for its end; ``show`` gets its output as it comes.

        Variables, functions and the current folder stay for the next one. Raises SessionError
        when the command does not end ``within`` so many seconds, or ends the shell.
        """
        process = self._started()
        end = f"\x1e{secrets.token_hex(8)} "
        line = f"eval {shlex.quote(command)} </dev/null; printf '{end}%d\\n' $?\n"
        assert process.stdin is not None  # asked for above
        try:
            process.stdin.write(line.encode())
            process.stdin.flush()
            output, code = self._until(end.encode(), within, show)
        except (BrokenPipeError, EOFError):
            raise SessionError(f"the shell ended: {command}") from None
        except TimeoutError:
            raise SessionError(f"did not end within {within:g} s: {command}") from None
        return Ran(code, self._named(output))

    def _until(
        self, end: bytes, within: float, show: Callable[[str], object] | None
    ) -> tuple[bytes, int]:
        """Output until the mark, and the exit code behind it."""
        assert self._process is not None
        assert self._process.stdout is not None
        pipe, deadline = self._process.stdout.fileno(), time.monotonic() + within
        output, printed = b"", 0
        pattern = re.compile(re.escape(end) + rb"(\d+)\n")
        while not (match := pattern.search(output)):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([pipe], [], [], left)[0]:
                raise TimeoutError
            part = os.read(pipe, 1 << 16)
            if not part:
                raise EOFError
            output += part
            if show:
                ready = _whole_lines(output)
                show(self._named(output[printed:ready]))
                printed = ready
        if show:
            show(self._named(output[printed : match.start()]))
        return output[: match.start()], int(match[1])

    def _named(self, output: bytes) -> str:
        return output.decode(errors="replace").replace(self.name, "meshproof")

    def close(self) -> None:
        """End the shell and its meshes, and wait until they are gone; safe to call twice."""
        process, self._process = self._process, None
        if process is None:
            return
        os.close(self._life)
        try:
            output, _ = process.communicate(timeout=_CLOSING)  # closes its standard input
        except subprocess.TimeoutExpired:
            process.terminate()
            process.communicate()
            raise SessionError(f"the session {self.name} did not end") from None
        if process.returncode != 0:
            text = self._named(output).strip()
            raise SessionError(f"the session {self.name} did not end well: {text}")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise SessionError(f"the session {self.name} is not open")
        return self._process


def _whole_lines(output: bytes) -> int:
    """Up to where output can be shown: a line with the mark's first byte may be the mark."""
    end = output.rfind(b"\n") + 1
    mark = output.find(b"\x1e")
    return end if mark < 0 else min(end, mark)
