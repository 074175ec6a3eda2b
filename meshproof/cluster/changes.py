"""The changes of a mesh on Kubernetes: apply, delete, scale, reset, faults; one at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

from meshproof.cluster import manifests
from meshproof.cluster.applied_state import AppliedState
from meshproof.cluster.faults import Faults
from meshproof.cluster.manifests import Manifest
from meshproof.cluster.mesh_state import MeshState
from meshproof.cluster.reconciler import Reconciler
from meshproof.cluster.warnings import warnings
from meshproof.cluster.workload_pods import WorkloadPods
from meshproof.errors import Problem, Refused, UsageError
from meshproof.mesh import Applied, Input, Source
from meshproof.sources.sources import read_sources


class Changes:
    """Callable from any thread."""

    def __init__(
        self, state: MeshState, reconciler: Reconciler, pods: WorkloadPods, faults: Faults
    ) -> None:
        self._state = state
        self._reconciler = reconciler
        self._pods = pods
        self._faults = faults
        self._lock = threading.RLock()

    def apply(self, sources: Sequence[Input], *, namespace: str, strict: bool) -> Applied:
        started = time.monotonic()
        texts = read_sources(sources)
        self._state.require_up()
        with self._lock:
            items = self._read(texts, namespace)
            applied, messages = self._state.applied.apply(items)
            problems = warnings(applied.ordered(), items)
            if strict and problems:
                raise Refused(problems)
            return self._reconcile(applied, started, messages, problems)

    def delete(self, sources: Sequence[Input], *, namespace: str) -> Applied:
        started = time.monotonic()
        texts = read_sources(sources)
        self._state.require_up()
        with self._lock:
            items = self._read(texts, namespace)
            applied, messages = self._state.applied.delete(items)
            return self._reconcile(applied, started, messages)

    def reset(self) -> Applied:
        """Runs no command where nothing was changed."""
        started = time.monotonic()
        self._state.require_up()
        with self._lock:
            self._faults.undo_all()
            return self._reconcile(self._state.initial, started)

    def scale(self, workload: str, replicas: int) -> Applied:
        started = time.monotonic()
        if replicas < 0:
            raise UsageError(f"{workload}={replicas}: wanted 0 or more replicas")
        with self._lock:
            namespace, name = self._pods.resolve(workload)
            applied = self._state.applied.scale(namespace, name, replicas)
            message = f"Deployment {namespace}/{name} scaled to {replicas}"
            return self._reconcile(applied, started, (message,))

    def fault(self, kind: str, workload: str, **options: Any) -> None:
        self._faults.inject(kind, workload, **options)

    def _read(self, texts: Sequence[Source], namespace: str) -> list[Manifest]:
        default = manifests.default_namespace(texts, self._state.applied.namespaces())
        return manifests.read_all(texts, namespace, default)

    def _reconcile(
        self,
        applied: AppliedState,
        started: float,
        messages: tuple[str, ...] = (),
        problems: Sequence[Problem] = (),
    ) -> Applied:
        acks = self._reconciler.reconcile(applied, started)
        return Applied(messages, tuple(acks), time.monotonic() - started, tuple(problems))
