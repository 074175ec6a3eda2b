"""Changes to an embedded mesh: apply, delete, scale, reset, renew certificates."""

from __future__ import annotations

import time
from collections.abc import Sequence

from meshproof.admission.admission import Admission, Admitted, describe_locations
from meshproof.admission.store import Store
from meshproof.embedded.admission.profile import embedded_admission
from meshproof.embedded.engine import Engine
from meshproof.embedded.lifecycle import Lifecycle
from meshproof.embedded.lookup import find_workload
from meshproof.errors import MeshproofError, NotLive, UsageError
from meshproof.mesh import Applied, Input
from meshproof.model.kube_workloads import WORKLOADS
from meshproof.wait import DeadlineExceeded, until_async

_READY_LIMIT = 120.0
"""Seconds that every replica may take, after a reset, until it is ready again."""


class Changes:
    """Makes the changes to one mesh, one at a time. Callable from any thread."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle

    @property
    def _admission(self) -> Admission:
        return embedded_admission(self._lifecycle.project)

    @property
    def _engine(self) -> Engine:
        return self._lifecycle.engine

    def apply(
        self, sources: Sequence[Input], *, namespace: str = "", strict: bool = False
    ) -> Applied:
        started = time.monotonic()
        resources = self._admission.read(sources, namespace=namespace)
        engine = self._engine
        admitted = Admitted(Store())

        def edit(store: Store) -> Store:
            nonlocal admitted
            admitted = self._admission.apply(store, resources, strict=strict)
            return admitted.store

        try:
            acks = self._lifecycle.run(engine.change(edit, started))
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

        acks = self._lifecycle.run(self._engine.change(edit, started))
        return Applied(admitted.messages, tuple(acks), time.monotonic() - started)

    def scale(self, workload: str, replicas: int) -> Applied:
        started = time.monotonic()
        engine = self._engine
        namespace, name = find_workload(engine, workload)
        if replicas < 0:
            raise UsageError(f"{workload}={replicas}: wanted 0 or more replicas")

        def edit(store: Store) -> Store:
            return store.scale(namespace, name, replicas)

        acks = self._lifecycle.run(engine.change(edit, started))
        key = (namespace, name)
        kinds = (w.kind for w in engine.store.of(*WORKLOADS) if (w.namespace, w.name) == key)
        messages = (f"{next(kinds)} {namespace}/{name} scaled to {replicas}",)
        return Applied(messages, tuple(acks), time.monotonic() - started)

    def reset(self) -> Applied:
        """Back to the resources of ``up``, every replica ready. Faults must be cleared before."""
        started = time.monotonic()
        initial = self._lifecycle.initial
        acks = self._lifecycle.run(self._engine.change(lambda _: initial, started))
        self._lifecycle.run(_wait_all_ready(self._engine))
        return Applied((), tuple(acks), time.monotonic() - started)

    def renew_certificates(self) -> None:
        """Give every Envoy a new key and certificate now; the mesh does so by itself in time."""
        self._lifecycle.run(self._engine.config.renew_certificates())


async def _wait_all_ready(engine: Engine) -> None:
    """Otherwise the next test may miss a replica that an earlier one killed. A replica that was
    ended, in a rollout that an interrupt broke off, does not come back."""

    async def reason() -> str:
        missing = [r for r in engine.fleet.runners if not r.ready and not r.ended]
        return "; ".join(f"{r.name}: {r.state.reason}" for r in missing)

    try:
        await until_async(reason, "waiting for every replica", within=_READY_LIMIT)
    except DeadlineExceeded as error:
        raise MeshproofError(f"not ready again within {_READY_LIMIT:g} s: {error.last}") from None
    await engine.config.wait_refreshed()
