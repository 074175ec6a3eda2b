"""The mesh's end of the supervisor: start, signal and end processes, and hear of their ends."""

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

from meshproof.errors import MeshproofError
from meshproof.host import private_files, procfs, run_folder, supervisor
from meshproof.host.process_spec import Exit, ProcessSpec

ORPHAN_GRACE = 1.0
"""Seconds from SIGTERM to SIGKILL when the mesh process died: nobody waits for an answer then."""
_LINE_LIMIT = 1 << 20
_SPAWN_LIMIT = 20.0
"""Seconds for the supervisor's answer to a spawn; it takes milliseconds unless it is stuck."""
_END_MARGIN = 5.0
"""Seconds that the supervisor may take beyond the grace before it is killed itself."""


class Processes:
    """One supervisor. All methods belong to the event loop that ``start`` ran in.

    However the supervisor ends, nothing of the run stays: if it is lost, what carries the run id
    is killed before ``on_lost`` is called.
    """

    def __init__(self) -> None:
        self._spawns: dict[str, asyncio.Future[int]] = {}
        self._stops: dict[str, list[asyncio.Future[Exit]]] = {}
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
        the supervisor ended unasked. Raises MeshproofError when it cannot be started.
        """
        self._run_id, self._run_dir = run_id, run_dir
        self._on_exit, self._on_lost = on_exit, on_lost
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            try:
                self._supervisor = self._launch(theirs.fileno(), orphan_grace)
            except BaseException:
                ours.close()
                raise
        ours.setblocking(False)
        self._reader, self._writer = await asyncio.open_unix_connection(
            sock=ours, limit=_LINE_LIMIT
        )
        self._listener = asyncio.create_task(self._listen())
        self._started = True

    def _launch(self, fd: int, grace: float) -> subprocess.Popen[bytes]:
        config = {
            "fd": fd,
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
                    env={procfs.RUN_ID_VARIABLE: self._run_id},
                    cwd="/",
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(fd,),
                    start_new_session=True,
                )
        except OSError as error:
            raise MeshproofError(f"the supervisor did not start: {error}") from error

    @property
    def supervisor_pid(self) -> int:
        return self._supervisor.pid

    @property
    def running(self) -> dict[str, int]:
        """The pid of every process that runs, by name."""
        return dict(self._running)

    async def spawn(self, spec: ProcessSpec) -> int:
        """Start one process; returns its pid once its program has been executed.

        Raises MeshproofError that says what failed: no such program, not executable, no memory,
        a log that cannot be written, a name that runs already. A caller that is cancelled, or has
        waited too long, leaves nothing behind: the process is ended as soon as it is there.
        """
        if spec.name in self._spawns:
            raise MeshproofError(f"{spec.name}: not started: it is being started already")
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._spawns[spec.name] = answer
        try:
            self._send(op="spawn", **{**asdict(spec), "argv": list(spec.argv)})
            return await asyncio.wait_for(answer, _SPAWN_LIMIT)
        except asyncio.CancelledError:
            self._take_back(spec.name)
            raise
        except TimeoutError:
            self._take_back(spec.name)
            raise MeshproofError(
                f"{spec.name}: not started: the supervisor (process {self.supervisor_pid}) "
                f"has not answered for {_SPAWN_LIMIT:.0f} s"
            ) from None
        finally:
            self._spawns.pop(spec.name, None)

    def _take_back(self, name: str) -> None:
        """The supervisor obeys in order, so this stop finds the process that was asked for."""
        with contextlib.suppress(MeshproofError):  # the supervisor has ended, and all with it
            self._send(op="stop", name=name, grace=0.0)

    async def stop(self, name: str, grace: float) -> Exit:
        """SIGTERM, then SIGKILL to its whole group after ``grace`` seconds; returns its end."""
        self._require(name)
        ended: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()
        self._stops.setdefault(name, []).append(ended)
        self._send(op="stop", name=name, grace=grace)
        return await ended

    def signal(self, name: str, number: int) -> None:
        """Signal the whole process group of one child, workers that it forked included.

        Its ``Exit``, if it ends of that, is not marked as asked: it is a fault, not a stop.
        """
        self._require(name)
        self._send(op="signal", name=name, signal=int(number))

    def _require(self, name: str) -> None:
        if name not in self._running:
            raise MeshproofError(f"{name}: no such process is running")

    async def close(self, grace: float) -> None:
        """End everything: SIGTERM to apps, then to sidecars, SIGKILL after ``grace`` seconds.

        Returns when no process of the run is left and the run folder is gone. Safe to call twice,
        after the supervisor was lost, and where ``start`` had failed.
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
        await asyncio.to_thread(self._clear)

    def _clear(self) -> None:
        """What the supervisor does itself at its end, for when it could not."""
        self._supervisor.wait()
        procfs.kill_run(self._run_id)
        run_folder.remove(self._run_dir, self._run_id)

    def _send(self, **order: Any) -> None:
        if self._listener.done() or self._writer.is_closing():
            raise MeshproofError("the supervisor has ended")
        self._writer.write(json.dumps(order).encode() + b"\n")

    async def _listen(self) -> None:
        """Take the supervisor's word until its socket closes, which is its end."""
        with contextlib.suppress(OSError):
            while line := await self._reader.readline():
                self._hear(json.loads(line))
        self._writer.close()
        if not self._closing:
            await asyncio.to_thread(self._supervisor.wait)
            await asyncio.to_thread(procfs.kill_run, self._run_id)
        self._running.clear()
        lost = MeshproofError("the supervisor has ended")
        unanswered: list[asyncio.Future[Any]] = list(self._spawns.values())
        unanswered.extend(waiting for several in self._stops.values() for waiting in several)
        for waiting in unanswered:
            if not waiting.done():
                waiting.set_exception(lost)
        if not self._closing:
            self._on_lost()

    def _hear(self, event: dict[str, Any]) -> None:
        name = event["name"]
        if event["event"] == "spawned":
            self._running[name] = event["pid"]
            self._answer(name, event["pid"])
        elif event["event"] == "failed":
            self._answer(name, MeshproofError(f"{name}: not started: {event['error']}"))
        else:
            self._running.pop(name, None)
            ended = Exit(name, event["pid"], event["code"], event["asked"])
            for waiting in self._stops.pop(name, []):
                if not waiting.done():
                    waiting.set_result(ended)
            self._on_exit(ended)

    def _answer(self, name: str, outcome: int | MeshproofError) -> None:
        waiting = self._spawns.get(name)
        if waiting is None or waiting.done():
            return
        if isinstance(outcome, int):
            waiting.set_result(outcome)
        else:
            waiting.set_exception(outcome)
