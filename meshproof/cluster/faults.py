"""Faults on a cluster: processes are killed, paused and resumed; connections as ``network_faults``
has them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from meshproof.cluster.mesh_state import MeshState
from meshproof.cluster.network_faults import NetworkFaults
from meshproof.cluster.pods import PROXY, Pod
from meshproof.cluster.providers.provider import Provider
from meshproof.cluster.workload_pods import WorkloadPods
from meshproof.errors import Unsupported, UsageError
from meshproof.host.impairments import KINDS
from meshproof.wait import until

_SIGNAL_ALL_BUT_FIRST = (
    "import os,signal,sys;me=os.getpid();"
    "[os.kill(int(p),getattr(signal,sys.argv[1])) for p in os.listdir('/proc') "
    "if p.isdigit() and int(p) not in (1,me)]"
)
"""A container's first process ignores SIGSTOP from inside. gunicorn's workers are its children,
they do stop, and they are what answers."""
_SIGNALS = {"kill": "KILL", "pause": "STOP", "resume": "CONT"}
FAULTS = (*_SIGNALS, *KINDS, "heal", "clear")
_READY_AGAIN = 120.0


class Faults:
    """One caller at a time."""

    def __init__(
        self,
        state: MeshState,
        provider: Provider,
        pods: WorkloadPods,
        network: NetworkFaults,
    ) -> None:
        self._state = state
        self._provider = provider
        self._pods = pods
        self._network = network
        self._undo: list[tuple[str, Callable[[], None]]] = []
        """Workload, and how its fault is undone."""

    def inject(self, kind: str, workload: str, **options: Any) -> None:
        """``kill`` ends processes, and the kubelet restarts their container, later each time
        (its back-off). On a context it deletes pods, and Kubernetes starts new ones."""
        self._state.require_up()
        if kind not in FAULTS:
            raise Unsupported(f"fault {kind}: a mesh on a cluster has {', '.join(FAULTS)}")
        if kind in ("heal", "clear"):
            if options:
                raise UsageError(f"fault {kind}: {', '.join(options)}: wanted nothing more")
            self._end(workload, processes=kind == "clear")
        elif kind in KINDS:
            self._network.begin(kind, workload, **options)
        else:
            self._inject_process(kind, workload, **options)

    def undo_all(self) -> None:
        """The newest first."""
        self._end("", processes=True)

    def refresh(self) -> None:
        """After pods came or went."""
        self._network.refresh()

    def _end(self, workload: str, *, processes: bool) -> None:
        for item in reversed(self._undo if processes else ()):
            if workload in ("", item[0]):
                self._undo.remove(item)
                item[1]()
        self._network.end(workload)

    def _inject_process(
        self, kind: str, workload: str, *, part: str = "app", replica: str = "", **options: Any
    ) -> None:
        if options:
            raise UsageError(f"fault {kind}: {', '.join(options)}: wanted part and replica")
        if part not in ("app", "sidecar"):
            raise UsageError(f"part={part!r}: wanted app or sidecar")
        if workload in self._provider.outside:
            if part != "app" or replica:
                raise UsageError(f"fault {kind}: {workload} is an outside host: it has no {part}")
            self._inject_outside(kind, workload)
            return
        pods = self._pods.of(workload, replica)
        send = functools.partial(self._send, part)
        for pod in pods:
            send(kind, pod)
        if kind == "pause":
            self._undo.append((workload, functools.partial(_resume, send, pods)))
        elif kind == "kill":
            self._undo.append((workload, lambda: self._wait_ready(workload, pods)))

    def _inject_outside(self, kind: str, host: str) -> None:
        self._provider.outside.fault(kind, host)
        self._undo = [(name, undo) for name, undo in self._undo if name != host]
        if kind == "pause":
            self._undo.append((host, lambda: self._provider.outside.fault("resume", host)))

    def _send(self, part: str, kind: str, pod: Pod) -> None:
        """On kind to the processes themselves; elsewhere only to those of an app, and a pod is
        killed as a whole."""
        nodes = self._provider.network
        if nodes is not None:
            container = pod.containers[PROXY if part == "sidecar" else pod.container]
            nodes.signal(pod.node, container, _SIGNALS[kind], but_first=part == "sidecar")
        elif part == "sidecar":
            raise Unsupported(
                f"fault {kind}: part=sidecar needs the nodes of a kind cluster (MESH=kind)"
            )
        elif kind == "kill":
            self._delete(pod)
        else:
            self._signal_app(pod, f"SIG{_SIGNALS[kind]}")

    def _delete(self, pod: Pod) -> None:
        self._provider.kubectl.run(
            "-n", pod.namespace, "delete", "pod", pod.name,
            "--grace-period=0", "--force", "--wait=false",
            doing=f"killing {pod.namespace}/{pod.name}",
        )  # fmt: skip

    def _signal_app(self, pod: Pod, name: str) -> None:
        self._provider.kubectl.exec(
            pod.namespace, pod.name, pod.container,
            ["python3", "-c", _SIGNAL_ALL_BUT_FIRST, name],
            doing=f"sending {name} in {pod.namespace}/{pod.name}",
        )  # fmt: skip

    def _wait_ready(self, workload: str, killed: Sequence[Pod]) -> None:
        """As many as were applied are ready, and those that were killed have started again, or are
        gone. A workload that is gone is waited for no more."""
        restarts = {pod.name: pod.restarts for pod in killed}

        def reason() -> str:
            replicas, pods = self._pods.expected(workload)
            late = [f"{p.name}: {p.reason}" for p in pods if not p.ready]
            late += [f"{p.name} is as before" for p in pods if restarts.get(p.name) == p.restarts]
            missing = f"it has {len(pods)} of {replicas} pods" if len(pods) < replicas else ""
            return "; ".join(late) or missing

        until(reason, f"waiting for {workload} to be ready again", within=_READY_AGAIN, every=0.5)


def _resume(send: Callable[[str, Pod], None], pods: Sequence[Pod]) -> None:
    for pod in pods:
        send("resume", pod)
