"""Requests from inside pods: one ``kubectl exec`` a pod is held, instead of one a request."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NoAnswer
from subprocess import Popen
from typing import Any, Protocol

from meshproof.errors import MeshproofError


class Open(Protocol):
    """``commands.Commands.open``: a process with pipes."""

    def __call__(self, argv: Sequence[str], doing: str) -> Popen[bytes]: ...


class PodDialogs:
    """Callable from any thread. ``close`` ends every process, in the pods too: the script there
    ends with its standard input."""

    def __init__(self, access: Sequence[str], start: Open) -> None:
        self._access = tuple(access)
        self._open = start
        self._dialogs: dict[tuple[str, str, str], _Dialog] = {}
        self._lock = threading.Lock()

    def ask(
        self,
        namespace: str,
        pod: str,
        container: str,
        script: str,
        request: Mapping[str, Any],
        *,
        timeout: float,
    ) -> bytes:
        """The line that Python's ``script`` prints for a request that it reads as a line; both are
        JSON objects, and ``id`` tells them from others. Raises MeshproofError."""
        with self._lock:
            key = (namespace, pod, container)
            dialog = self._dialogs.get(key)
            if dialog is not None and not dialog.alive:
                dialog.close()
                dialog = None
            if dialog is None:
                dialog = self._dialogs[key] = self._start(*key, script)
        return dialog.ask(request, timeout)

    def _start(self, namespace: str, pod: str, container: str, script: str) -> _Dialog:
        argv = [
            "kubectl", *self._access, "-n", namespace,
            "exec", "-i", pod, "-c", container, "--", "python3", "-c", script,
        ]  # fmt: skip
        target = f"{namespace}/{pod}"
        return _Dialog(self._open(argv, f"opening a session in {target}"), target)

    def close(self) -> None:
        """Safe to repeat."""
        with self._lock:
            dialogs = list(self._dialogs.values())
            self._dialogs.clear()
        for dialog in dialogs:
            dialog.close()


class _Dialog:
    """One process; a thread hands its lines to those who wait for them."""

    def __init__(self, process: Popen[bytes], target: str) -> None:
        self._process = process
        self._target = target
        self._lock = threading.Lock()
        self._waiting: dict[int, Future[bytes]] = {}
        self._count = 0
        self.alive = True
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def ask(self, request: Mapping[str, Any], timeout: float) -> bytes:
        future: Future[bytes] = Future()
        with self._lock:
            self._count += 1
            number = self._count
            if not self.alive:
                raise self._lost()
            self._waiting[number] = future
            line = json.dumps({**request, "id": number}).encode() + b"\n"
            try:
                assert self._process.stdin is not None
                self._process.stdin.write(line)
                self._process.stdin.flush()
            except OSError:
                raise self._lost() from None
        try:
            return future.result(timeout)
        except NoAnswer:
            raise MeshproofError(f"{self._target}: no answer within {timeout:g} s") from None

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._lock:
                future = self._waiting.pop(int(json.loads(line)["id"]), None)
            if future is not None:
                future.set_result(line)
        with self._lock:
            self.alive = False
            waiting = list(self._waiting.values())
        for future in waiting:
            future.set_exception(self._lost())

    def _lost(self) -> MeshproofError:
        return MeshproofError(f"the session in {self._target} ended (artifacts/commands.log)")

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.terminate()
        self._process.wait(10)
        self._reader.join(10)
        self._process.stdout.close()
        with contextlib.suppress(OSError):
            self._process.stdin.close()
