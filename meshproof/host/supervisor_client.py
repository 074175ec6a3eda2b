"""The client of the supervisor: starts, signals and ends processes, and reports their exits."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import meshproof
from meshproof.errors import MeshproofError
from meshproof.host import private_files, run_folder, supervisor
from meshproof.host.process_identity import RUN_DIR_VARIABLE, RUN_ID_VARIABLE
from meshproof.host.process_spec import Exit, ProcessSpec
from meshproof.host.processes import kill_run

ORPHAN_GRACE = 1.0
"""Seconds from SIGTERM to SIGKILL when the mesh process died."""
_LINE_LIMIT = 1 << 20
_SPAWN_LIMIT = 60.0
"""Seconds for the supervisor's answer to a spawn; it takes milliseconds unless it is stuck."""
_END_MARGIN = 5.0
"""Seconds that the supervisor may take beyond the grace before it is killed itself."""


class SupervisorClient:
    """One supervisor. Call every method in the event loop that ``start`` ran in.

    No process of the run outlives the supervisor: if it is lost, all that carry the run id are
    killed before ``on_lost`` is called.
    """

    def __init__(self) -> None:
        self._spawns: dict[str, asyncio.Future[int]] = {}
        self._stops: dict[str, list[asyncio.Future[Exit]]] = {}
        self._runs: dict[str, asyncio.Future[Exit]] = {}
        self._requests: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._running: dict[str, int] = {}
        self._closing = False
        self._started = False

    async def start(
        self,
        run_id: str,
        run_dir: Path,
        on_exit: Callable[[Exit], None],
        on_lost: Callable[[], None],
        *,
        orphan_grace: float = ORPHAN_GRACE,
    ) -> None:
        """Start the supervisor of a run folder that ``run_folder.create`` made.

        ``on_exit`` is called for every process that ends, stopped ones included; ``on_lost`` when
        the supervisor ended without being told to. Raises MeshproofError when it cannot be started.
        """
        self._run_id, self._run_dir = run_id, run_dir
        self._on_exit, self._on_lost = on_exit, on_lost
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self.pod_sockets, helper = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, helper:
            try:
                self._supervisor = self._launch(theirs.fileno(), helper.fileno(), orphan_grace)
            except BaseException:
                ours.close()
                self.pod_sockets.close()
                raise
        ours.setblocking(False)
        self._reader, self._writer = await asyncio.open_unix_connection(
            sock=ours, limit=_LINE_LIMIT
        )
        self._listener = asyncio.create_task(self._listen())
        self._started = True

    def _launch(self, fd: int, helper: int, grace: float) -> subprocess.Popen[bytes]:
        config = {
            "fd": fd,
            "helper": helper,
            "owner": os.getpid(),
            "run_id": self._run_id,
            "run_dir": str(self._run_dir),
            "grace": grace,
        }
        command = [sys.executable, "-I", "-S", str(supervisor.__file__), json.dumps(config)]
        try:
            private_files.write(self._run_dir / "supervisor.log", "")
            with (self._run_dir / "supervisor.log").open("ab") as log:
                return subprocess.Popen(
                    command,
                    env={RUN_ID_VARIABLE: self._run_id, RUN_DIR_VARIABLE: str(self._run_dir)},
                    cwd="/",
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(fd, helper),
                    start_new_session=True,
                )
        except OSError as error:
            raise MeshproofError(f"the supervisor did not start: {error}") from error

    @property
    def pid(self) -> int:
        """Of the supervisor itself."""
        return self._supervisor.pid

    @property
    def running(self) -> dict[str, int]:
        """The pid of every process that runs, by name."""
        return dict(self._running)

    async def request(self, name: str, op: str, **command: Any) -> dict[str, Any]:
        """Send a command that is answered; the answer's ``error`` is empty where it succeeded."""
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._requests[name] = answer
        try:
            self._send(op=op, name=name, **command)
            async with asyncio.timeout(_SPAWN_LIMIT):
                return await answer
        except TimeoutError:
            raise MeshproofError(
                f"{name}: the supervisor has not answered for {_SPAWN_LIMIT:.0f} s"
            ) from None
        finally:
            self._requests.pop(name, None)

    async def open_pods(self, name: str, **settings: Any) -> dict[str, Any]:
        """``request`` for pods; their sockets come by ``pod_sockets``."""
        package = str(Path(meshproof.__file__).parents[1])
        return await self.request(name, "open_pods", package=package, **settings)

    def remove_pod(self, pod: str) -> None:
        with contextlib.suppress(MeshproofError):  # they end with the supervisor
            self._send(op="remove_pod", pod=pod)

    async def spawn(self, spec: ProcessSpec) -> int:
        """Start one process; returns its pid once its program has been executed.

        Raises MeshproofError that names the cause: no such program, not executable, no memory,
        a log that cannot be written, a name in use. When the caller is cancelled or has waited too
        long, the process is ended as soon as it has started.
        """
        if spec.name in self._spawns:
            raise MeshproofError(f"{spec.name}: not started: it is being started already")
        started: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._spawns[spec.name] = started
        try:
            self._send(op="spawn", **{**asdict(spec), "argv": list(spec.argv)})
            return await asyncio.wait_for(started, _SPAWN_LIMIT)
        except asyncio.CancelledError:
            self._cancel_spawn(spec.name)
            raise
        except TimeoutError:
            self._cancel_spawn(spec.name)
            raise MeshproofError(
                f"{spec.name}: not started: the supervisor (process {self.pid}) "
                f"has not answered for {_SPAWN_LIMIT:.0f} s"
            ) from None
        finally:
            self._spawns.pop(spec.name, None)

    async def run(self, spec: ProcessSpec, limit: float) -> int:
        """Run a process to its end; returns its exit code, which ``on_exit`` is not told.

        Raises TimeoutError where it has not ended after ``limit`` seconds, and MeshproofError as
        ``spawn`` does; it has been killed then.
        """
        ended: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()
        self._runs[spec.name] = ended
        try:
            await self.spawn(spec)
            async with asyncio.timeout(limit):
                return (await asyncio.shield(ended)).code
        except BaseException:
            if spec.name in self._running:
                self._send(op="stop", name=spec.name, grace=0.0)
            else:
                self._runs.pop(spec.name, None)
            raise

    def _cancel_spawn(self, name: str) -> None:
        """The supervisor obeys in order, so this stop comes after the spawn."""
        with contextlib.suppress(MeshproofError):  # the supervisor has ended, and all with it
            self._send(op="stop", name=name, grace=0.0)

    async def stop(self, name: str, grace: float) -> Exit:
        """SIGTERM, then SIGKILL to its whole group after ``grace`` seconds; returns its exit."""
        self._require(name)
        exited: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()
        self._stops.setdefault(name, []).append(exited)
        self._send(op="stop", name=name, grace=grace)
        return await exited

    def signal(self, name: str, number: int) -> None:
        """Signal the whole process group of one child, workers that it forked included.

        If it ends of that, its ``Exit`` is not marked as requested: it is a fault, not a stop.
        """
        self._require(name)
        self._send(op="signal", name=name, signal=int(number))

    def _require(self, name: str) -> None:
        if name not in self._running:
            raise MeshproofError(f"{name}: no such process is running")

    async def close(self, grace: float) -> None:
        """End everything: SIGTERM to apps, then to sidecars, SIGKILL after ``grace`` seconds.

        Returns when no process of the run is left and the run folder is removed. Safe to call
        twice, after the supervisor was lost, and where ``start`` had failed.
        """
        self._closing = True
        if not self._started:
            return
        with contextlib.suppress(MeshproofError):
            self._send(op="close", grace=grace)
        try:
            await asyncio.wait_for(asyncio.shield(self._listener), grace + _END_MARGIN)
        except TimeoutError:
            self._supervisor.kill()
            await self._listener
        await asyncio.to_thread(self._clean_up)

    def _clean_up(self) -> None:
        """What the supervisor does itself at its end, in case it could not."""
        self._supervisor.wait()
        kill_run(self._run_id)
        run_folder.remove(self._run_dir, self._run_id)

    def _send(self, **command: Any) -> None:
        if self._listener.done() or self._writer.is_closing():
            raise MeshproofError("the supervisor has ended")
        self._writer.write(json.dumps(command).encode() + b"\n")

    async def _listen(self) -> None:
        """Read events until the socket closes, which is the supervisor's end."""
        with contextlib.suppress(OSError):
            while line := await self._reader.readline():
                self._on_event(json.loads(line))
        self._writer.close()
        self.pod_sockets.close()
        if not self._closing:
            await asyncio.to_thread(self._supervisor.wait)
            await asyncio.to_thread(kill_run, self._run_id)
        self._running.clear()
        lost = MeshproofError("the supervisor has ended")
        pending: list[asyncio.Future[Any]] = list(self._spawns.values())
        pending.extend(future for futures in self._stops.values() for future in futures)
        pending.extend((*self._requests.values(), *self._runs.values()))
        for future in pending:
            if not future.done():
                future.set_exception(lost)
        if not self._closing:
            self._on_lost()

    def _on_event(self, event: dict[str, Any]) -> None:
        name = event["name"]
        if event["event"] == "spawned":
            self._running[name] = event["pid"]
            self._resolve_spawn(name, event["pid"])
        elif event["event"] == "answered":
            if (answer := self._requests.get(name)) is not None and not answer.done():
                answer.set_result(event)
        elif event["event"] == "failed":
            self._resolve_spawn(name, MeshproofError(f"{name}: not started: {event['error']}"))
        else:
            self._running.pop(name, None)
            exit_ = Exit(name, event["pid"], event["code"], event["requested"])
            for future in self._stops.pop(name, []):
                if not future.done():
                    future.set_result(exit_)
            if (run := self._runs.pop(name, None)) is None:
                self._on_exit(exit_)
            elif not run.done():
                run.set_result(exit_)

    def _resolve_spawn(self, name: str, result: int | MeshproofError) -> None:
        """The pid, or why it was not started."""
        future = self._spawns.get(name)
        if future is None or future.done():
            return
        if isinstance(result, int):
            future.set_result(result)
        else:
            future.set_exception(result)
