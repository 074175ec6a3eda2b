"""The life of an embedded mesh: ``up`` and ``down``, its event loop, its engine."""

from __future__ import annotations

import errno
import gc
import os
import time
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from aiohttp.web import AppRunner

from meshproof.admission.store import Store
from meshproof.embedded.admission.profile import embedded_admission
from meshproof.embedded.config.certificate_authority import Authority
from meshproof.embedded.context import MeshContext, RunPaths
from meshproof.embedded.engine import Engine
from meshproof.embedded.pod import environment, envoy_binary
from meshproof.embedded.pod_mode import read_mode
from meshproof.embedded.sandbox import Sandboxes
from meshproof.embedded.telemetry.observability_servers import ObservabilityServers
from meshproof.errors import MeshproofError
from meshproof.host import private_files, process_identity, run_folder, sweep
from meshproof.host.addresses import AddressBlock
from meshproof.host.event_loop import LoopThread
from meshproof.host.process_spec import Exit
from meshproof.host.supervisor_client import SupervisorClient
from meshproof.mesh import Ack, Applied
from meshproof.project import Project
from meshproof.telemetry import span_store
from meshproof.xds.server import AdsServer

T = TypeVar("T")
_END_GRACE = 2.0
"""Seconds between TERM and KILL for everything at ``down``."""


class Lifecycle:
    """Starts and ends one mesh. Callable from any thread."""

    def __init__(self, project: Project, name: str) -> None:
        self.name = name
        self.run_id = process_identity.new_run_id()
        self.initial = Store()
        """The resources that ``up`` applied."""
        self._project = project
        self._loop: LoopThread | None = None
        self._context: MeshContext | None = None
        self._engine: Engine | None = None
        self._span_collector: AppRunner | None = None
        self._servers: ObservabilityServers | None = None
        self._pods = read_mode(os.environ)
        self._no_pods = ""
        """Why there are no pods, where they were wanted."""

    @property
    def project(self) -> Project:
        """What this mesh was made from; once it is up, it says whether its replicas are in pods."""
        return self._project if self._context is None else self._context.project

    @property
    def run_dir(self) -> Path:
        """The run folder, once ``up`` has created it."""
        if self._context is None:
            raise self._not_up()
        return self._context.paths.root

    @property
    def control_socket(self) -> Path:
        return RunPaths(self.run_dir).control

    @property
    def engine(self) -> Engine:
        """Raises MeshproofError where the mesh is not up, or no longer whole."""
        engine = self.engine_even_if_lost
        if engine.lost:
            raise MeshproofError(engine.lost)
        return engine

    @property
    def engine_even_if_lost(self) -> Engine:
        """``engine``, also after the supervisor was killed."""
        if self._engine is None or self._loop is None:
            raise self._not_up()
        return self._engine

    def _not_up(self) -> MeshproofError:
        return MeshproofError(f"the mesh {self.name} is not up")

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the mesh's event loop, and wait for its result."""
        if self._loop is None:
            work.close()
            raise self._not_up()
        try:
            return self._loop.run(work)
        except OSError as error:
            raise _explain_os_error(error) from error

    # -- up ------------------------------------------------------------------------------------

    def up(self) -> Applied:
        started = time.monotonic()
        envoy_binary.binary()  # first of all: without one nothing can start
        sweep.sweep()
        if not process_identity.owner_alive(self.run_id):  # this process was forked since
            self.run_id = process_identity.new_run_id()
        self._loop = LoopThread(f"mesh-{self.name}")
        try:
            self.run(self._open())  # before admission: what can run depends on it
            admission = embedded_admission(self.project)
            resources = admission.read(self.project.manifests, stdin=self.project.stdin)
            admitted = admission.apply(admission.new_store(), resources, strict=False)
            acks = self.run(self._start(admitted.store, started))
        except BaseException:
            self.down()
            raise
        self.initial = admitted.store
        # Everything until now stays: garbage collection of it cost a rule on 100 sidecars 75 ms.
        gc.freeze()
        seconds = time.monotonic() - started
        warnings = (*admitted.warnings, *self.engine.warnings)
        notes = (*admitted.notes, *((self._no_pods,) if self._no_pods else ()))
        return Applied(admitted.messages, tuple(acks), seconds, warnings, notes)

    async def _open(self) -> None:
        """The supervisor, and pods where they are wanted and possible; outside hosts begin to
        start while the manifests are read."""
        context = self._context = self._create_context()
        await context.supervisor.start(
            self.run_id, context.paths.root, self._on_exit, self._on_supervisor_lost
        )
        self._no_pods = await context.sandboxes.open(self._pods)
        project = replace(self._project, pods=context.sandboxes.enabled)
        self._context = replace(context, project=project)
        self._engine = Engine(self._context)
        self._engine.start_outside()

    async def _start(self, store: Store, started: float) -> list[Ack]:
        assert self._context is not None, "it is open"
        assert self._engine is not None, "it is open"
        context, engine = self._context, self._engine
        self._servers = ObservabilityServers(engine)
        await self._servers.start()
        await context.ads.start(context.paths.xds)
        self._span_collector = await span_store.serve(engine.spans, str(context.paths.zipkin))
        for socket in (context.paths.xds, context.paths.zipkin):  # beside the folder's own mode
            socket.chmod(private_files.MODE)
        return await engine.start(store, started)

    def _create_context(self) -> MeshContext:
        folder = run_folder.create(self.run_id)
        try:
            paths = RunPaths(folder)
            paths.make()
            block = AddressBlock()
        except BaseException:
            run_folder.remove(folder, self.run_id)
            raise
        supervisor = SupervisorClient()
        return MeshContext(
            mesh=self.name,
            run_id=self.run_id,
            paths=paths,
            block=block,
            supervisor=supervisor,
            sandboxes=Sandboxes(supervisor, paths.pods),
            ads=AdsServer(),
            authority=Authority(),
            project=self._project,
            base_env=environment.base(os.environ),
        )

    def _on_exit(self, exit_: Exit) -> None:
        if self._engine is not None:
            self._engine.on_exit(exit_)

    def _on_supervisor_lost(self) -> None:
        if self._engine is None:
            return
        self._engine.on_supervisor_lost(
            "this mesh's supervisor was killed, and its processes were ended with it; run "
            "`meshproof down`, then `meshproof up`"
        )

    # -- down ----------------------------------------------------------------------------------

    def down(self) -> None:
        """End everything; safe to call twice."""
        loop, self._loop = self._loop, None
        if loop is None:
            return
        try:
            loop.run(self._end())
        finally:
            loop.close()
            gc.unfreeze()

    async def _end(self) -> None:
        if self._engine is not None:
            await self._engine.stop()
        if (context := self._context) is None:
            return
        await context.supervisor.close(_END_GRACE)
        context.sandboxes.close()
        await context.ads.stop()
        if self._span_collector is not None:
            await self._span_collector.cleanup()
        if self._servers is not None:
            await self._servers.stop()
        run_folder.remove(context.paths.root, self.run_id)
        context.block.close()


def _explain_os_error(error: OSError) -> MeshproofError:
    file = f"{error.filename}: " if error.filename else ""
    remedy = ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        remedy = "; free some, or set XDG_RUNTIME_DIR to a folder with more room"
    return MeshproofError(f"{file}{error.strerror or error}{remedy}")
