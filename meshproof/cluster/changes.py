"""The changes of a mesh on Kubernetes: apply, delete, scale, reset, faults; one at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

from meshproof.admission.admission import Admission, Admitted, describe_locations
from meshproof.cluster.faults import Faults
from meshproof.cluster.mesh_state import MeshState
from meshproof.cluster.reconciler import Reconciler
from meshproof.cluster.workload_pods import WorkloadPods
from meshproof.errors import NotLive, UsageError
from meshproof.mesh import Applied, Input


class Changes:
    """Callable from any thread."""

    def __init__(
        self,
        state: MeshState,
        admission: Admission,
        reconciler: Reconciler,
        pods: WorkloadPods,
        faults: Faults,
    ) -> None:
        self._state = state
        self._admission = admission
        self._reconciler = reconciler
        self._pods = pods
        self._faults = faults
        self._lock = threading.RLock()

    def apply(self, sources: Sequence[Input], *, namespace: str, strict: bool) -> Applied:
        started = time.monotonic()
        self._state.require_up()
        resources = self._admission.read(sources, namespace=namespace)
        with self._lock:
            admitted = self._admission.apply(self._state.applied, resources, strict=strict)
            return self._reconcile(admitted, started)

    def delete(self, sources: Sequence[Input], *, namespace: str) -> Applied:
        started = time.monotonic()
        self._state.require_up()
        resources = self._admission.read(sources, namespace=namespace, deleting=True)
        with self._lock:
            admitted = self._admission.delete(self._state.applied, resources)
            return self._reconcile(admitted, started)

    def reset(self) -> Applied:
        """Runs no command where nothing was changed."""
        started = time.monotonic()
        self._state.require_up()
        with self._lock:
            self._faults.undo_all()
            return self._reconcile(Admitted(self._state.initial), started)

    def scale(self, workload: str, replicas: int) -> Applied:
        started = time.monotonic()
        if replicas < 0:
            raise UsageError(f"{workload}={replicas}: wanted 0 or more replicas")
        with self._lock:
            namespace, name = self._pods.resolve(workload)
            store = self._state.applied.scale(namespace, name, replicas)
            message = f"Deployment {namespace}/{name} scaled to {replicas}"
            return self._reconcile(Admitted(store, (message,)), started)

    def fault(self, kind: str, workload: str, **options: Any) -> None:
        with self._lock:
            self._faults.inject(kind, workload, **options)

    def _reconcile(self, admitted: Admitted, started: float) -> Applied:
        try:
            acks = self._reconciler.reconcile(admitted.store, started, self._faults.refresh)
        except NotLive as error:
            if not admitted.changed:
                raise
            changed = describe_locations(admitted.changed)
            raise NotLive(f"{error}; in this call: {changed}") from None
        seconds = time.monotonic() - started
        return Applied(admitted.messages, tuple(acks), seconds, admitted.warnings, admitted.notes)
