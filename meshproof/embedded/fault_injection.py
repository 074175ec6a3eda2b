"""Faults on purpose, as the contract has them: of processes, and of the network between places."""

from __future__ import annotations

import contextlib
import functools
import signal
import time
from collections.abc import Callable
from typing import Any

from meshproof.embedded.engine import Engine
from meshproof.embedded.gateway import PROXY
from meshproof.embedded.network_faults import KINDS, NetworkFault, Workload, condition
from meshproof.embedded.outside import OutsideRunner
from meshproof.embedded.pod.replica import ReplicaRunner
from meshproof.embedded.queries import Looking
from meshproof.errors import MeshproofError, Unsupported, UsageError
from meshproof.istio_names import INGRESS_GATEWAY

_SIGNALS = {"kill": signal.SIGKILL, "pause": signal.SIGSTOP, "resume": signal.SIGCONT}
_KNOWN = (*_SIGNALS, *KINDS, "heal", "clear")


class Faulting(Looking):
    """``fault`` of the contract, and what undoes it all."""

    _paused: list[tuple[Workload, Callable[[], None]]]
    """Whom to resume, and how; made by the mesh."""

    def fault(self, kind: str, workload: str, **how: Any) -> None:
        """See ``meshproof.mesh.Mesh.fault``."""
        if kind not in _KNOWN:
            raise Unsupported(f"fault {kind}: the embedded mesh has {', '.join(_KNOWN)}")
        if kind in ("heal", "clear"):
            _no_more(kind, how, "nothing more")
            place = self._place(workload) if workload else None
            self._clear(place) if kind == "clear" else self._heal(place)
        elif kind in KINDS:
            self._network_fault(kind, workload, **how)
        else:
            self._process_fault(kind, workload, **how)

    def _clear(self, place: Workload | None) -> None:
        for paused in [p for p in self._paused if place in (None, p[0])]:
            self._paused.remove(paused)
            paused[1]()
        self._heal(place)

    def _heal(self, place: Workload | None) -> None:
        self._run(self._over(self._live().network.chosen(place)))

    def _place(self, name: str) -> Workload:
        """A workload, the gateway, or an outside host by its name or alias."""
        if name == "gateway":
            return (PROXY.namespace, INGRESS_GATEWAY)
        host = self._outside(name)
        return ("", host.host) if host else self._resolve(name)

    def _outside(self, name: str) -> OutsideRunner | None:
        for host in self._live().outside:
            if name in (host.host, *host.declared.aliases):
                return host
        return None

    # -- the network ---------------------------------------------------------------------------

    def _network_fault(
        self, kind: str, workload: str, *, source: str = "", replica: str = "", **how: Any
    ) -> None:
        conditions = condition(kind, how)
        to, caller = self._place(workload), self._place(source) if source else None
        if caller is not None and not caller[0]:
            raise UsageError(f"fault {kind}: {source} is an outside host, which calls nobody here")
        if replica and not self._outside(workload):
            self._chosen(workload, replica)
        faults = [NetworkFault(kind, caller, to, replica, conditions)]
        if kind == "partition":
            if caller is None:
                raise UsageError(f"fault partition: {workload} from whom? wanted source=WORKLOAD")
            if to[0]:
                faults.append(NetworkFault(kind, to, caller, "", conditions))
        self._run(self._begin(faults))

    async def _begin(self, faults: list[NetworkFault]) -> None:
        """Returns when every sidecar concerned goes the bad way."""
        engine = self._live()
        for fault in faults:
            engine.network.add(fault)
        try:
            await engine.change(lambda store: store, time.monotonic())
        except BaseException:
            await self._over(faults)
            raise

    async def _over(self, faults: list[NetworkFault]) -> None:
        """Returns when every sidecar goes the good way again."""
        engine = self._live()
        for fault in faults:
            engine.network.remove(fault)
        if faults:
            await engine.change(lambda store: store, time.monotonic())
            await engine.network.close(faults)

    # -- processes -----------------------------------------------------------------------------

    def _process_fault(
        self, kind: str, workload: str, *, part: str = "app", replica: str = "", **how: Any
    ) -> None:
        _no_more(kind, how, "part and replica")
        if part not in ("app", "sidecar"):
            raise UsageError(f"part={part!r}: wanted app or sidecar")
        number, outside = _SIGNALS[kind], self._outside(workload)
        if outside is not None:
            if part != "app" or replica:
                raise UsageError(f"fault {kind}: {workload} is an outside host: it has no {part}")
            sends = [functools.partial(self._signal_outside, outside)]
        else:
            sends = [
                functools.partial(self._signal, runner, part)
                for runner in self._chosen(workload, replica)
            ]
        for send in sends:
            if kind == "pause":
                resume = functools.partial(self._if_there, send, signal.SIGCONT)
                self._paused.append((self._place(workload), resume))
            self._if_there(send, number) if kind == "resume" else send(number)

    def _chosen(self, workload: str, replica: str) -> list[ReplicaRunner]:
        runners = self._runners(workload)
        found = [r for r in runners if replica in ("", r.name)]
        if not found:
            names = ", ".join(r.name for r in runners)
            raise UsageError(f"{workload} has no replica {replica}; it has {names}")
        return found

    @staticmethod
    def _if_there(send: Callable[[signal.Signals], None], number: signal.Signals) -> None:
        with contextlib.suppress(MeshproofError):  # it may have ended meanwhile
            send(number)

    def _signal_outside(self, host: OutsideRunner, number: signal.Signals) -> None:
        if not host.declared.command:
            raise Unsupported(f"fault: {host.host} is not started by this mesh; its way can be cut")

        async def send() -> None:
            host.runtime.supervisor.signal(host.name, number)

        self._run(send())

    def _signal(self, runner: ReplicaRunner, part: str, number: signal.Signals) -> None:
        engine: Engine = self._live()

        async def send() -> None:
            process = runner.name if part == "app" else runner.envoy.process
            if part == "app":
                runner.paused = number == signal.SIGSTOP
            elif number == signal.SIGSTOP:
                runner.watch.sidecar_paused()
            engine.runtime.supervisor.signal(process, number)
            if part == "sidecar" and number == signal.SIGCONT:
                runner.watch.sidecar_resumed()

        self._run(send())


def _no_more(kind: str, how: dict[str, Any], wanted: str) -> None:
    if how:
        raise UsageError(f"fault {kind}: {', '.join(how)}: wanted {wanted}")
