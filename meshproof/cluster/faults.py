"""Faults on a cluster: workloads are killed, paused and resumed; outside hosts as their provider
can."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from meshproof.cluster.mesh_state import MeshState
from meshproof.cluster.providers.provider import Provider
from meshproof.cluster.rollout import Rollouts
from meshproof.cluster.workload_pods import WorkloadPods
from meshproof.errors import Unsupported
from meshproof.wait import until

_SIGNAL_ALL_BUT_FIRST = (
    "import os,signal,sys;me=os.getpid();"
    "[os.kill(int(p),getattr(signal,sys.argv[1])) for p in os.listdir('/proc') "
    "if p.isdigit() and int(p) not in (1,me)]"
)
"""A container's first process ignores SIGSTOP from inside. gunicorn's workers are its children,
they do stop, and they are what answers."""
_UNDO = {"pause": "resume", "cut": "heal"}
_READY_AGAIN = 120.0


class Faults:
    """One caller at a time."""

    def __init__(
        self, state: MeshState, provider: Provider, pods: WorkloadPods, rollouts: Rollouts
    ) -> None:
        self._state = state
        self._provider = provider
        self._pods = pods
        self._rollouts = rollouts
        self._undo: list[Callable[[], None]] = []

    def inject(self, kind: str, workload: str, **options: Any) -> None:
        """``kill`` deletes the workload's pods at once, sidecars included; Kubernetes starts new
        ones. ``pause`` stops the processes that answer; an outside host as a whole. ``cut`` and
        ``heal`` take an outside host off its networks and put it back.
        """
        self._state.require_up()
        part = options.get("part", "app")
        if part != "app":
            raise Unsupported(f"part={part!r}: on a cluster a pod is killed as a whole (part=app)")
        if workload in self._provider.outside:
            self._inject_outside(kind, workload)
        elif kind == "kill":
            self._kill(workload)
        elif kind in ("pause", "resume"):
            self._signal(workload, "SIGSTOP" if kind == "pause" else "SIGCONT")
            if kind == "pause":
                self._undo.append(lambda: self._signal(workload, "SIGCONT"))
        else:
            raise Unsupported(
                f"fault {kind} of {workload}: a cluster has kill, pause and resume for workloads, "
                "and pause, resume, cut and heal for outside hosts"
            )

    def undo_all(self) -> None:
        """The newest first."""
        while self._undo:
            self._undo.pop()()

    def _inject_outside(self, kind: str, host: str) -> None:
        if kind not in (*_UNDO, *_UNDO.values()):
            raise Unsupported(
                f"fault {kind} of the outside host {host}: wanted pause, resume, cut or heal"
            )
        self._provider.outside.fault(kind, host)
        if kind in _UNDO:
            self._undo.append(lambda: self._provider.outside.fault(_UNDO[kind], host))
        elif self._undo:
            self._undo.pop()

    def _kill(self, workload: str) -> None:
        """``undo_all`` waits for the new pods."""
        for pod in self._pods.of(workload):
            self._provider.kubectl.run(
                "-n", pod.namespace, "delete", "pod", pod.name,
                "--grace-period=0", "--force", "--wait=false",
                doing=f"killing {pod.namespace}/{pod.name}",
            )  # fmt: skip
        self._undo.append(lambda: self._wait_ready(workload))

    def _wait_ready(self, workload: str) -> None:
        deployment = self._pods.resolve(workload)

        def reason() -> str:
            self._rollouts.wait([deployment])
            late = [p for p in self._pods.of(workload) if not p.ready]
            return "; ".join(f"{p.name}: {p.reason}" for p in late)

        until(reason, f"waiting for {workload} to be ready again", within=_READY_AGAIN)

    def _signal(self, workload: str, name: str) -> None:
        for pod in self._pods.of(workload):
            self._provider.kubectl.exec(
                pod.namespace, pod.name, pod.container,
                ["python3", "-c", _SIGNAL_ALL_BUT_FIRST, name],
                doing=f"sending {name} in {pod.namespace}/{pod.name}",
            )  # fmt: skip
