"""Faults on purpose, as ``Mesh.fault`` has them: of processes, and of the network."""

from __future__ import annotations

import contextlib
import functools
import signal
import time
from collections.abc import Callable
from typing import Any

from meshproof.embedded.engine import Engine
from meshproof.embedded.lifecycle import Lifecycle
from meshproof.embedded.lookup import find_gateway, find_outside, find_replicas, find_workload
from meshproof.embedded.network_faults import NetworkFault, Workload
from meshproof.embedded.outside import OutsideRunner
from meshproof.embedded.pod.replica import ReplicaRunner
from meshproof.errors import MeshproofError, Unsupported, UsageError
from meshproof.host.impairments import KINDS, parse_impairment

_SIGNALS = {"kill": signal.SIGKILL, "pause": signal.SIGSTOP, "resume": signal.SIGCONT}
FAULTS = (*_SIGNALS, *KINDS, "heal", "clear")
Send = Callable[[signal.Signals], None]
"""Sends a signal to one part of one replica, or to an outside host."""


class FaultInjection:
    """Injects faults into one mesh, and undoes them. Callable from any thread."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle
        self._paused: list[tuple[Workload, Callable[[], None]]] = []
        """What is paused, and how to resume it."""

    @property
    def _engine(self) -> Engine:
        return self._lifecycle.engine

    def fault(self, kind: str, workload: str, **parameters: Any) -> None:
        """See ``meshproof.mesh.Mesh.fault``."""
        if kind not in FAULTS:
            raise Unsupported(f"fault {kind}: the embedded mesh has {', '.join(FAULTS)}")
        if kind in ("heal", "clear"):
            _require_none(kind, parameters, "nothing more")
            target = self._find(workload) if workload else None
            self._clear(target) if kind == "clear" else self._heal(target)
        elif kind in KINDS:
            self._network_fault(kind, workload, **parameters)
        else:
            self._process_fault(kind, workload, **parameters)

    def clear(self) -> None:
        """Undo every fault."""
        self._clear(None)

    def _clear(self, target: Workload | None) -> None:
        for paused in [p for p in self._paused if target in (None, p[0])]:
            self._paused.remove(paused)
            paused[1]()
        self._heal(target)

    def _heal(self, target: Workload | None) -> None:
        self._lifecycle.run(self._end(self._engine.network.select(target)))

    def _find(self, name: str) -> Workload:
        """A workload, a gateway, or an outside host by its name or alias."""
        if gateway := find_gateway(self._engine, name):
            return gateway.key
        host = find_outside(self._engine, name)
        return ("", host.host) if host else find_workload(self._engine, name)

    def _select_replicas(self, workload: str, replica: str) -> list[ReplicaRunner]:
        """All, or the one of that name."""
        runners = find_replicas(self._engine, workload)
        selected = [r for r in runners if replica in ("", r.name)]
        if not selected:
            names = ", ".join(r.name for r in runners)
            raise UsageError(f"{workload} has no replica {replica}; it has {names}")
        return selected

    # -- the network ---------------------------------------------------------------------------

    def _network_fault(
        self, kind: str, workload: str, *, source: str = "", replica: str = "", **parameters: Any
    ) -> None:
        impairment = parse_impairment(kind, parameters)
        to, caller = self._find(workload), self._find(source) if source else None
        if caller is not None and not caller[0]:
            raise UsageError(f"fault {kind}: {source} is an outside host, which calls nobody here")
        if replica and find_outside(self._engine, workload) is None:
            self._select_replicas(workload, replica)
        faults = [NetworkFault(kind, caller, to, replica, impairment)]
        if kind == "partition":
            if caller is None:
                raise UsageError(f"fault partition: {workload} from whom? wanted source=WORKLOAD")
            if to[0]:
                faults.append(NetworkFault(kind, to, caller, "", impairment))
        self._lifecycle.run(self._begin(faults))

    async def _begin(self, faults: list[NetworkFault]) -> None:
        """Returns when every affected sidecar uses the detours."""
        for fault in faults:
            self._engine.network.add(fault)
        try:
            await self._engine.change(lambda store: store, time.monotonic())
        except BaseException:
            await self._end(faults)
            raise

    async def _end(self, faults: list[NetworkFault]) -> None:
        """Returns when every sidecar uses the real addresses again."""
        engine = self._engine
        for fault in faults:
            engine.network.remove(fault)
        if faults:
            await engine.change(lambda store: store, time.monotonic())
            await engine.network.close(faults)

    # -- processes -----------------------------------------------------------------------------

    def _process_fault(
        self, kind: str, workload: str, *, part: str = "app", replica: str = "", **parameters: Any
    ) -> None:
        _require_none(kind, parameters, "part and replica")
        if part not in ("app", "sidecar"):
            raise UsageError(f"part={part!r}: wanted app or sidecar")
        for send in self._senders(kind, workload, part, replica):
            if kind == "pause":
                resume = functools.partial(_send_if_running, send, signal.SIGCONT)
                self._paused.append((self._find(workload), resume))
            if kind == "resume":
                _send_if_running(send, signal.SIGCONT)
            else:
                send(_SIGNALS[kind])

    def _senders(self, kind: str, workload: str, part: str, replica: str) -> list[Send]:
        host = find_outside(self._engine, workload)
        if host is None:
            runners = self._select_replicas(workload, replica)
            return [functools.partial(self._signal, runner, part) for runner in runners]
        if part != "app" or replica:
            raise UsageError(f"fault {kind}: {workload} is an outside host: it has no {part}")
        return [functools.partial(self._signal_outside, host)]

    def _signal_outside(self, host: OutsideRunner, number: signal.Signals) -> None:
        async def send() -> None:
            host.signal(number)

        self._lifecycle.run(send())

    def _signal(self, runner: ReplicaRunner, part: str, number: signal.Signals) -> None:
        async def send() -> None:
            if part == "app":
                runner.signal_app(number)
            else:
                runner.signal_sidecar(number)

        self._lifecycle.run(send())


def _send_if_running(send: Send, number: signal.Signals) -> None:
    with contextlib.suppress(MeshproofError):  # it may have ended meanwhile
        send(number)


def _require_none(kind: str, parameters: dict[str, Any], supported: str) -> None:
    if parameters:
        raise UsageError(f"fault {kind}: {', '.join(parameters)}: wanted {supported}")
