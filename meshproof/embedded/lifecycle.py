"""A running embedded mesh: how it starts, how it ends, and how callers reach its loop."""

from __future__ import annotations

import errno
import gc
import os
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from aiohttp.web import AppRunner

from meshproof import workloads as names
from meshproof.admission.store import Store
from meshproof.embedded.admission.profile import embedded_admission
from meshproof.embedded.config.certificate_authority import Authority
from meshproof.embedded.context import MeshContext, RunPaths
from meshproof.embedded.engine import Engine
from meshproof.embedded.pod import environment, envoy_binary
from meshproof.embedded.pod.replica import ReplicaRunner
from meshproof.embedded.telemetry.observability_servers import ObservabilityServers
from meshproof.errors import MeshproofError, UsageError
from meshproof.host import private_files, process_identity, run_folder, sweep
from meshproof.host.addresses import AddressBlock
from meshproof.host.event_loop import LoopThread
from meshproof.host.supervisor_client import SupervisorClient
from meshproof.mesh import Ack, Applied
from meshproof.model.kube_workloads import WORKLOADS, template_of
from meshproof.project import Project
from meshproof.telemetry import span_store
from meshproof.xds.server import AdsServer

T = TypeVar("T")
_END_GRACE = 2.0
"""Seconds between TERM and KILL for everything at ``down``."""


class Running:
    """The life of one mesh. Callable from any thread."""

    def __init__(self, project: Project, *, name: str = "meshproof") -> None:
        self.name = name
        self.project = project
        self.run_id = process_identity.new_run_id()
        self._loop: LoopThread | None = None
        self._runtime: MeshContext | None = None
        self._engine: Engine | None = None
        self._collector: AppRunner | None = None
        self._observing: ObservabilityServers | None = None
        self._initial = Store()
        self._admission = embedded_admission(project)

    @property
    def run_dir(self) -> Path:
        """The run folder, once ``up`` has made it."""
        if self._runtime is None:
            raise MeshproofError(f"the mesh {self.name} is not up")
        return self._runtime.files.root

    @property
    def control_socket(self) -> Path:
        return RunPaths(self.run_dir).control

    def up(self) -> Applied:
        started = time.monotonic()
        envoy_binary.binary()  # first of all: without one there is nothing to begin
        sweep.sweep()
        if not process_identity.owner_alive(self.run_id):  # made in a process that has forked since
            self.run_id = process_identity.new_run_id()
        resources = self._admission.read(self.project.manifests, stdin=self.project.stdin)
        admitted = self._admission.apply(Store(), resources, strict=False)
        self._loop = LoopThread(f"mesh-{self.name}")
        try:
            acks = self._run(self._start(admitted.store, started))
        except BaseException:
            self.down()
            raise
        self._initial = admitted.store
        # What is there now stays: looking through it again cost a rule on 100 sidecars 75 ms.
        gc.freeze()
        seconds = time.monotonic() - started
        warnings = (*admitted.warnings, *self._live().warnings)
        return Applied(admitted.messages, tuple(acks), seconds, warnings, admitted.notes)

    async def _start(self, store: Store, started: float) -> list[Ack]:
        folder = run_folder.create(self.run_id)
        try:
            files = RunPaths(folder)
            files.make()
            block = AddressBlock()
        except BaseException:
            run_folder.remove(folder, self.run_id)
            raise
        runtime = self._runtime = MeshContext(
            mesh=self.name,
            run_id=self.run_id,
            files=files,
            block=block,
            supervisor=SupervisorClient(),
            ads=AdsServer(),
            authority=Authority(),
            project=self.project,
            base_env=environment.base(os.environ),
        )
        engine = self._engine = Engine(runtime)
        self._observing = ObservabilityServers(engine)
        await self._observing.start()
        await runtime.supervisor.start(self.run_id, folder, engine.exited, self._lost)
        await runtime.ads.start(files.xds)
        self._collector = await span_store.serve(engine.spans, str(files.zipkin))
        for socket in (files.xds, files.zipkin):  # as the folder around them says already
            socket.chmod(private_files.MODE)
        return await engine.start(store, started)

    def _lost(self) -> None:
        assert self._engine is not None
        self._engine.supervisor_lost(
            "this mesh's supervisor was killed, and its processes were ended with it; run "
            "`meshproof down`, then `meshproof up`"
        )

    def down(self) -> None:
        loop, self._loop = self._loop, None
        if loop is None:
            return
        try:
            loop.run(self._end())
        finally:
            loop.close()
            gc.unfreeze()

    async def _end(self) -> None:
        runtime = self._runtime
        if self._engine is not None:
            await self._engine.stop()
        if runtime is not None:
            await runtime.supervisor.close(_END_GRACE)
            await runtime.ads.stop()
            if self._collector is not None:
                await self._collector.cleanup()
            if self._observing is not None:
                await self._observing.stop()
            run_folder.remove(runtime.files.root, self.run_id)
            runtime.block.close()

    def _live(self, *, even_lost: bool = False) -> Engine:
        if self._engine is None or self._loop is None:
            raise MeshproofError(f"the mesh {self.name} is not up")
        if self._engine.lost and not even_lost:
            raise MeshproofError(self._engine.lost)
        return self._engine

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        if self._loop is None:
            work.close()
            raise MeshproofError(f"the mesh {self.name} is not up")
        try:
            return self._loop.run(work)
        except OSError as error:
            raise self._os_error(error) from error

    def _os_error(self, error: OSError) -> MeshproofError:
        place = f"{error.filename}: " if error.filename else ""
        advice = ""
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            advice = "; free some, or set XDG_RUNTIME_DIR to a folder with more room"
        return MeshproofError(f"{place}{error.strerror or error}{advice}")

    def _resolve(self, workload: str) -> tuple[str, str]:
        engine = self._live()
        return names.resolve(
            workload,
            [
                (r.namespace, r.name, dict(template_of(r).metadata.labels).get("app", ""))
                for r in engine.store.of(*WORKLOADS)
            ],
        )

    def _runners(self, workload: str) -> list[ReplicaRunner]:
        key = self._resolve(workload)
        found = [r for r in self._live().fleet.runners if r.workload.key == key]
        if not found:
            raise UsageError(
                f"{workload} has no replica; `meshproof scale {workload}=1` starts one"
            )
        return found
