"""The mesh on Kubernetes: the ``Mesh`` contract by kind, kubectl, istioctl and docker."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from meshproof.cluster import manifests
from meshproof.cluster.addons_and_load import Extras
from meshproof.cluster.applied_state import State
from meshproof.cluster.warnings import warnings
from meshproof.errors import Refused, Unsupported, UsageError
from meshproof.mesh import Applied, Capability, Input
from meshproof.sources.sources import read_sources
from meshproof.wait import until

_ALL_BUT_FIRST = (
    "import os,signal,sys;me=os.getpid();"
    "[os.kill(int(p),getattr(signal,sys.argv[1])) for p in os.listdir('/proc') "
    "if p.isdigit() and int(p) not in (1,me)]"
)
"""A container's first process takes no SIGSTOP from inside; gunicorn's workers, its children, do,
and it is they that answer."""


class ClusterMesh(Extras):
    """See ``meshproof.mesh.Mesh``. Callable from any thread; changes run one at a time."""

    capabilities: frozenset[Capability] = frozenset()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._changing = threading.RLock()
        self._faults: list[Callable[[], None]] = []

    def apply(
        self, sources: Sequence[Input], *, namespace: str = "", strict: bool = False
    ) -> Applied:
        started = time.monotonic()
        texts = read_sources(sources)
        self._live()
        with self._changing:
            default = manifests.default_namespace(texts, self._state.namespaces())
            items = manifests.read_all(texts, namespace, default)
            state, said = self._state.apply(items)
            warned = warnings(state.ordered(), items)
            if strict and warned:
                raise Refused(warned)
            acks = self._to(state, started)
        return Applied(said, tuple(acks), time.monotonic() - started, tuple(warned))

    def delete(self, sources: Sequence[Input], *, namespace: str = "") -> Applied:
        started = time.monotonic()
        texts = read_sources(sources)
        self._live()
        with self._changing:
            default = manifests.default_namespace(texts, self._state.namespaces())
            items = manifests.read_all(texts, namespace, default)
            state, said = self._state.delete(items)
            acks = self._to(state, started)
        return Applied(said, tuple(acks), time.monotonic() - started)

    def reset(self) -> Applied:
        """Asks the cluster nothing where nothing was changed."""
        started = time.monotonic()
        self._live()
        with self._changing:
            while self._faults:
                self._faults.pop()()
            acks = self._to(self._initial, started)
        return Applied((), tuple(acks), time.monotonic() - started)

    def scale(self, workload: str, replicas: int) -> Applied:
        started = time.monotonic()
        if replicas < 0:
            raise UsageError(f"{workload}={replicas}: wanted 0 or more replicas")
        with self._changing:
            namespace, name = self._resolve(workload)
            item = self._state.items["Deployment", namespace, name]
            assert item.body is not None
            body = {**item.body, "spec": {**item.body["spec"], "replicas": replicas}}
            scaled = manifests.with_body(item, body)
            acks = self._to(State({**self._state.items, item.key: scaled}), started)
        said = (f"Deployment {namespace}/{name} scaled to {replicas}",)
        return Applied(said, tuple(acks), time.monotonic() - started)

    def fault(self, kind: str, workload: str, **how: Any) -> None:
        """``kill`` ends the workload's pods at once, sidecar included; Kubernetes makes new ones.

        ``pause`` stops the processes that answer; an outside host as a whole. ``cut`` and ``heal``
        take an outside host off its networks and put it back.
        """
        self._live()
        part = how.get("part", "app")
        if part != "app":
            raise Unsupported(f"part={part!r}: on a cluster a pod is killed as a whole (part=app)")
        if self._place.outside_url(workload):
            self._outside_fault(kind, workload)
        elif kind == "kill":
            self._kill(workload)
        elif kind in ("pause", "resume"):
            self._signal(workload, "SIGSTOP" if kind == "pause" else "SIGCONT")
            if kind == "pause":
                self._faults.append(lambda: self._signal(workload, "SIGCONT"))
        else:
            raise Unsupported(
                f"fault {kind} of {workload}: a cluster has kill, pause and resume for workloads, "
                "and pause, resume, cut and heal for outside hosts"
            )

    def _outside_fault(self, kind: str, host: str) -> None:
        undo = {"pause": "resume", "cut": "heal"}
        if kind not in (*undo, *undo.values()):
            wanted = "wanted pause, resume, cut or heal"
            raise Unsupported(f"fault {kind} of the outside host {host}: {wanted}")
        self._place.outside_fault(kind, host)
        if kind in undo:
            self._faults.append(lambda: self._place.outside_fault(undo[kind], host))
        elif self._faults:
            self._faults.pop()

    def _kill(self, workload: str) -> None:
        """Its replacement is waited for by ``reset``."""
        for pod in self._pods_of(workload):
            self._kubectl.run(
                "-n", pod.namespace, "delete", "pod", pod.name,
                "--grace-period=0", "--force", "--wait=false",
                doing=f"killing {pod.namespace}/{pod.name}",
            )  # fmt: skip
        self._faults.append(lambda: self._all_ready(workload))

    def _all_ready(self, workload: str) -> None:
        key = self._resolve(workload)

        def reason() -> str:
            self._rolled_out([key])
            late = [p for p in self._pods_of(workload) if not p.ready]
            return "; ".join(f"{p.name}: {p.reason}" for p in late)

        until(reason, f"waiting for {workload} to be ready again", within=120)

    def _signal(self, workload: str, number: str) -> None:
        for pod in self._pods_of(workload):
            self._kubectl.exec(
                pod.namespace, pod.name, pod.container,
                ["python3", "-c", _ALL_BUT_FIRST, number],
                doing=f"sending {number} in {pod.namespace}/{pod.name}",
            )  # fmt: skip
