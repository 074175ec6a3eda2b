"""The embedded mesh: the ``Mesh`` contract on one real Envoy per replica, on this machine."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from meshproof.admission.admission import Admitted, describe_locations
from meshproof.admission.store import Store
from meshproof.embedded.fault_injection import Faulting
from meshproof.embedded.watching import Watching
from meshproof.errors import MeshproofError, NotLive, UsageError
from meshproof.mesh import Applied, Capability, Input
from meshproof.model.kube_workloads import WORKLOADS
from meshproof.model.resource import Resource
from meshproof.project import Project

_BACK_LIMIT = 30.0
"""Seconds that every replica may take, after a reset, until it is ready again."""


class EmbeddedMesh(Faulting, Watching):
    """See ``meshproof.mesh.Mesh``. Callable from any thread; changes run one at a time."""

    capabilities = frozenset({Capability.KILL_SIDECAR, Capability.CUT, Capability.RELEASE})

    def __init__(self, project: Project, *, name: str = "meshproof") -> None:
        super().__init__(project, name=name)
        self._paused = []

    # -- change --------------------------------------------------------------------------------

    def apply(
        self, sources: Sequence[Input], *, namespace: str = "", strict: bool = False
    ) -> Applied:
        started = time.monotonic()
        resources = self._admission.read(sources, namespace=namespace)
        return self._apply(resources, strict, started)

    def _apply(self, resources: Sequence[Resource], strict: bool, started: float) -> Applied:
        engine = self._live()
        admitted = Admitted(Store())

        def edit(store: Store) -> Store:
            nonlocal admitted
            admitted = self._admission.apply(store, resources, strict=strict)
            return admitted.store

        try:
            acks = self._run(engine.change(edit, started))
        except NotLive as error:
            raise NotLive(
                f"{error}; in this call: {describe_locations(admitted.changed)}"
            ) from None
        seconds = time.monotonic() - started
        warnings = (*admitted.warnings, *engine.warnings)
        return Applied(admitted.messages, tuple(acks), seconds, warnings, admitted.notes)

    def delete(self, sources: Sequence[Input], *, namespace: str = "") -> Applied:
        started = time.monotonic()
        resources = self._admission.read(sources, namespace=namespace, deleting=True)
        admitted = Admitted(Store())

        def edit(store: Store) -> Store:
            nonlocal admitted
            admitted = self._admission.delete(store, resources)
            return admitted.store

        acks = self._run(self._live().change(edit, started))
        return Applied(admitted.messages, tuple(acks), time.monotonic() - started)

    def reset(self) -> Applied:
        started = time.monotonic()
        self._clear(None)
        initial = self._initial
        acks = self._run(self._live().change(lambda _store: initial, started))
        self._run(self._all_ready())
        return Applied((), tuple(acks), time.monotonic() - started)

    async def _all_ready(self) -> None:
        """A killed replica of an earlier test must not be found missing by the next one. One that
        was ended, by a roll-out that an interrupt broke off, does not come back."""
        engine = self._live()
        try:
            async with asyncio.timeout(_BACK_LIMIT):
                while missing := [r for r in engine.fleet.runners if not r.ready and not r.ended]:
                    await asyncio.sleep(0.02)
        except TimeoutError:
            why = "; ".join(f"{r.name}: {r.reason}" for r in missing)
            raise MeshproofError(f"not ready again within {_BACK_LIMIT:g} s: {why}") from None
        await engine.refreshed()

    def scale(self, workload: str, replicas: int) -> Applied:
        started = time.monotonic()
        engine = self._live()
        namespace, name = self._resolve(workload)
        if replicas < 0:
            raise UsageError(f"{workload}={replicas}: wanted 0 or more replicas")

        def edit(store: Store) -> Store:
            return store.scale(namespace, name, replicas)

        acks = self._run(engine.change(edit, started))
        key = (namespace, name)
        kinds = (w.kind for w in engine.store.of(*WORKLOADS) if (w.namespace, w.name) == key)
        said = (f"{next(kinds)} {namespace}/{name} scaled to {replicas}",)
        return Applied(said, tuple(acks), time.monotonic() - started)

    def renew_certificates(self) -> None:
        """Give every sidecar a new key and certificate now; the mesh does so by itself in time."""
        self._run(self._live().renew_certificates())
