"""Runs commands: argument lists, never a shell; each one is logged with its seconds.

``Runner`` is a protocol, so that tests replay what the real tools printed and ``meshproof plan``
prints what would run.
"""

from __future__ import annotations

import http.client
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from meshproof.cluster.connections import Connections
from meshproof.cluster.remedies import remedy
from meshproof.errors import MeshproofError
from meshproof.progress import report_progress

_LINUX = sys.platform == "linux"
_BIND_LIFE = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 15)  # PR_SET_PDEATHSIG, SIGTERM
if os.getppid() != int(sys.argv[1]):  # the parent died before that
    os._exit(1)
os.execvp(sys.argv[2], sys.argv[2:])
"""
"""Becomes a program that ends when the thread that started it ends, also by SIGKILL."""
_TAIL = 12
"""Lines of a failed command's output that a message shows; the log has all."""


@dataclass(frozen=True, slots=True)
class Result:
    """A command that has ended."""

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
    """A command exited with another code than 0. Its message can be pasted into a terminal."""

    def __init__(self, result: Result, doing: str) -> None:
        self.result = result
        output = (result.errors.strip() or result.text.strip()).splitlines()[-_TAIL:]
        lines = [f"{doing}: exit code {result.code} of", f"  {shlex.join(result.argv)}"]
        lines += [f"  | {line}" for line in output]
        if advice := remedy(result.errors + result.text):
            lines.append(f"  {advice}")
        super().__init__("\n".join(lines))


class Background(Protocol):
    """A command that keeps running, such as ``kubectl port-forward``."""

    def poll(self) -> int | None: ...

    def terminate(self) -> None: ...

    def wait(self, timeout: float | None = None) -> int: ...


class Runner(Protocol):
    """Runs kind, kubectl, istioctl and docker."""

    at_once: int
    """How many commands may run in parallel; each is a process of some 50 MB."""

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
        exit code than 0 if ``check``, and MeshproofError after ``timeout`` seconds."""
        ...

    def start(self, argv: Sequence[str], doing: str, *, output: Path | None = None) -> Background:
        """A command that the caller ends. Its output is appended to the file ``output``, by
        default to the log of commands."""
        ...

    def connect(self, access: Sequence[str], folder: Path) -> Connections | None:
        """Held connections to a cluster; None where commands are to be run instead."""
        ...

    def write(self, file: Path, text: str) -> None:
        """Writes a file that a later command reads."""
        ...

    def temporary_copy(self, files: Iterable[tuple[str, Path]]) -> AbstractContextManager[Path]:
        """A temporary folder with copies of these files at these relative paths."""
        ...

    def probe(self, url: str) -> str:
        """Why a URL gives no HTTP response; empty where it gives one, whatever its status. An open
        port is not enough: docker-proxy and port-forward listen before anything is behind them."""
        ...

    def has_tool(self, name: str) -> bool:
        """Whether a tool is on PATH."""
        ...

    def note(self, text: str) -> None:
        """Logs which step begins, or what is waited for."""
        ...


def _absolute_kubeconfig(environ: Mapping[str, str]) -> dict[str, str]:
    """KUBECONFIG's paths made absolute: ``up -d`` leaves the folder that it was started in."""
    environment = dict(environ)
    if paths := environment.get("KUBECONFIG"):
        environment["KUBECONFIG"] = os.pathsep.join(
            str(Path(path).absolute()) for path in paths.split(os.pathsep) if path
        )
    return environment


class Commands:
    """The real Runner. ``log`` gets a line for each command, and the output of failed ones."""

    at_once = 4

    def __init__(self, log: Path) -> None:
        self._log = log
        self._environ = _absolute_kubeconfig(os.environ)
        self._starter = ThreadPoolExecutor(1, "starter")  # lives as long as this process
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
        report_progress(f"{doing}: {shlex.join(argv)}")
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
        except subprocess.TimeoutExpired as expired:
            self._log_command(argv, "late", time.monotonic() - started, expired.stderr or b"")
            tail = (expired.stderr or b"").decode(errors="replace").strip().splitlines()[-3:]
            raise MeshproofError(
                f"{doing}: still running after {timeout:g} s:\n  {shlex.join(argv)}"
                + "".join(f"\n  | {line}" for line in tail)
            ) from None
        seconds = time.monotonic() - started
        result = Result(tuple(argv), done.returncode, done.stdout, done.stderr, seconds)
        output = (done.stderr or done.stdout) if done.returncode else b""
        self._log_command(argv, str(done.returncode), seconds, output)
        if check and done.returncode:
            raise CommandError(result, doing)
        return result

    def start(self, argv: Sequence[str], doing: str, *, output: Path | None = None) -> Background:
        with (output or self._log).open("ab") as out:
            return self._start(argv, doing, stdin=subprocess.DEVNULL, stdout=out, stderr=out)

    def open(self, argv: Sequence[str], doing: str) -> subprocess.Popen[bytes]:
        """A command with pipes to its standard input and output."""
        with self._log.open("ab") as log:
            return self._start(
                argv, doing, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
            )

    def _start(self, argv: Sequence[str], doing: str, **streams: Any) -> subprocess.Popen[bytes]:
        """Ends with this process, whatever ends that."""
        if not self.has_tool(argv[0]):
            raise MeshproofError(f"{doing}: {argv[0]} is not on PATH")
        bound = [sys.executable, "-ISc", _BIND_LIFE, str(os.getpid()), *argv] if _LINUX else argv

        def start() -> subprocess.Popen[bytes]:
            return subprocess.Popen(list(bound), env=self._environ, **streams)

        process = self._starter.submit(start).result()
        self._log_command(argv, "started", 0.0, b"")
        return process

    def connect(self, access: Sequence[str], folder: Path) -> Connections:
        return Connections(access, folder, self.start, self.open)

    def write(self, file: Path, text: str) -> None:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(text, encoding="utf-8")

    @contextmanager
    def temporary_copy(self, files: Iterable[tuple[str, Path]]) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="meshproof-build-") as folder:
            for relative, file in files:
                target = Path(folder) / relative
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, target)
            yield Path(folder)

    def probe(self, url: str) -> str:
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

    def has_tool(self, name: str) -> bool:
        return shutil.which(name) is not None

    def note(self, text: str) -> None:
        self._log_line(f"# {text}")

    def _log_command(self, argv: Sequence[str], code: str, seconds: float, output: bytes) -> None:
        self._log_line(f"{seconds:7.2f} s  {code:>3}  {shlex.join(argv)}")
        for line in output.decode(errors="replace").splitlines():
            self._log_line(f"    | {line}")

    def _log_line(self, text: str) -> None:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        with self._log.open("a", encoding="utf-8") as log:
            log.write(f"{now} {text}\n")
