"""The one place that runs commands: lists, never a shell; each is logged with its timing.

``Runner`` is a protocol so that tests replay what the real tools said, and ``meshproof plan``
prints what would run.
"""

from __future__ import annotations

import http.client
import os
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Protocol
from urllib.parse import urlsplit

from meshproof.cluster.remedies import remedy
from meshproof.errors import MeshproofError
from meshproof.progress import waiting

_TAIL = 12
"""Lines of a failed command's output that a message shows; the log has all."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a command brought back."""

    argv: tuple[str, ...]
    code: int
    stdout: bytes
    stderr: bytes
    seconds: float

    @property
    def text(self) -> str:
        return self.stdout.decode(errors="replace")

    @property
    def errors(self) -> str:
        return self.stderr.decode(errors="replace")


class CommandError(MeshproofError):
    """A command ended with another code than 0. The message can be pasted into a terminal."""

    def __init__(self, result: Result, doing: str) -> None:
        self.result = result
        said = (result.errors.strip() or result.text.strip()).splitlines()[-_TAIL:]
        lines = [f"{doing}: exit code {result.code} of", f"  {shlex.join(result.argv)}"]
        lines += [f"  | {line}" for line in said]
        if found := remedy(result.errors + result.text):
            lines.append(f"  {found}")
        super().__init__("\n".join(lines))


class Background(Protocol):
    """A command that goes on running, such as ``kubectl port-forward``."""

    def poll(self) -> int | None: ...

    def terminate(self) -> None: ...

    def wait(self, timeout: float | None = None) -> int: ...


class Runner(Protocol):
    """Runs commands of kind, kubectl, istioctl and docker."""

    at_once: int
    """How many may run side by side; each is a process of some 50 MB."""

    def run(
        self,
        argv: Sequence[str],
        doing: str,
        *,
        stdin: bytes = b"",
        timeout: float = 60.0,
        check: bool = True,
        cwd: Path | None = None,
    ) -> Result:
        """``doing`` says in messages what the command is for. Raises CommandError for another
        code than 0 when ``check``, and MeshproofError when time runs out."""
        ...

    def start(self, argv: Sequence[str], doing: str, *, output: Path | None = None) -> Background:
        """A command that is ended by the caller. What it prints is added to the file ``output``,
        by default to the log of commands."""
        ...

    def write(self, file: Path, text: str) -> None:
        """A file that a later command reads."""
        ...

    def gathered(self, files: Iterable[tuple[str, Path]]) -> AbstractContextManager[Path]:
        """A folder with copies of these files at these relative paths; gone at the end."""
        ...

    def answers(self, url: str) -> str:
        """Why no HTTP answer comes from a URL, or an empty text; any status is an answer. An
        open port is none: docker-proxy and port-forward listen before anybody is behind them."""
        ...

    def has(self, tool: str) -> bool:
        """Whether a tool is on PATH."""
        ...

    def note(self, text: str) -> None:
        """A line for whoever reads along: which step begins, what is waited for."""
        ...


def _environ(environ: Mapping[str, str]) -> dict[str, str]:
    """With KUBECONFIG's paths made absolute: ``up -d`` leaves the folder that it was started in."""
    found = dict(environ)
    if paths := found.get("KUBECONFIG"):
        found["KUBECONFIG"] = os.pathsep.join(
            str(Path(one).absolute()) for one in paths.split(os.pathsep) if one
        )
    return found


class Commands:
    """The real Runner. ``log`` gets a line a command, and the output of those that failed."""

    at_once = 4

    def __init__(self, log: Path) -> None:
        self._log = log
        self._environ = _environ(os.environ)
        log.parent.mkdir(parents=True, exist_ok=True)

    def run(
        self,
        argv: Sequence[str],
        doing: str,
        *,
        stdin: bytes = b"",
        timeout: float = 60.0,
        check: bool = True,
        cwd: Path | None = None,
    ) -> Result:
        started = time.monotonic()
        waiting(f"{doing}: {shlex.join(argv)}")
        try:
            done = subprocess.run(
                list(argv),
                input=stdin,
                capture_output=True,
                timeout=timeout,
                check=False,
                cwd=cwd,
                env=self._environ,
            )
        except FileNotFoundError:
            raise MeshproofError(f"{doing}: {argv[0]} is not on PATH") from None
        except subprocess.TimeoutExpired as late:
            self._write(argv, "late", time.monotonic() - started, late.stderr or b"")
            said = (late.stderr or b"").decode(errors="replace").strip().splitlines()[-3:]
            raise MeshproofError(
                f"{doing}: no end after {timeout:g} s of\n  {shlex.join(argv)}"
                + "".join(f"\n  | {line}" for line in said)
            ) from None
        seconds = time.monotonic() - started
        result = Result(tuple(argv), done.returncode, done.stdout, done.stderr, seconds)
        told = done.stderr + (done.stdout if not done.stderr else b"")
        self._write(argv, str(done.returncode), seconds, told if done.returncode else b"")
        if check and done.returncode:
            raise CommandError(result, doing)
        return result

    def start(self, argv: Sequence[str], doing: str, *, output: Path | None = None) -> Background:
        out: IO[bytes]
        with (output or self._log).open("ab") as out:
            try:
                process = subprocess.Popen(
                    list(argv),
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=out,
                    env=self._environ,
                )
            except FileNotFoundError:
                raise MeshproofError(f"{doing}: {argv[0]} is not on PATH") from None
        self._write(argv, "started", 0.0, b"")
        return process

    def write(self, file: Path, text: str) -> None:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(text, encoding="utf-8")

    @contextmanager
    def gathered(self, files: Iterable[tuple[str, Path]]) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="meshproof-build-") as folder:
            for relative, file in files:
                target = Path(folder) / relative
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, target)
            yield Path(folder)

    def answers(self, url: str) -> str:
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=2)
        try:
            connection.request("GET", parts.path or "/")
            connection.getresponse().read()
        except (OSError, http.client.HTTPException) as error:
            return f"{url}: {error or type(error).__name__}"
        finally:
            connection.close()
        return ""

    def has(self, tool: str) -> bool:
        from shutil import which  # noqa: PLC0415  # asked once a start

        return which(tool) is not None

    def note(self, text: str) -> None:
        self._line(f"# {text}")

    def _write(self, argv: Sequence[str], code: str, seconds: float, told: bytes) -> None:
        self._line(f"{seconds:7.2f} s  {code:>3}  {shlex.join(argv)}")
        for line in told.decode(errors="replace").splitlines():
            self._line(f"    | {line}")

    def _line(self, text: str) -> None:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        with self._log.open("a", encoding="utf-8") as log:
            log.write(f"{now} {text}\n")
