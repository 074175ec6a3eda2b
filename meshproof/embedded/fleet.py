"""All replicas of the mesh: which of them start and end for a set of workloads."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

from meshproof.embedded.context import MeshContext
from meshproof.embedded.pod.replica import ReplicaRunner
from meshproof.embedded.pod.workload import Workload
from meshproof.host.event_loop import run_all
from meshproof.host.process_spec import Exit


@dataclass(frozen=True)
class Turnover:
    """What a change does to the fleet: start ``new``, then end ``old``."""

    new: tuple[ReplicaRunner, ...]
    old: tuple[ReplicaRunner, ...]

    @property
    def waves(self) -> list[tuple[ReplicaRunner, ...]]:
        """``new``, those with init containers last: what these wait for is served by then."""
        later = tuple(r for r in self.new if r.workload.init_programs)
        first = tuple(r for r in self.new if not r.workload.init_programs)
        return [wave for wave in (first, later) if wave]


class Fleet:
    """``on_change`` is called when a replica's readiness changes; it must not block."""

    def __init__(self, context: MeshContext, on_change: Callable[[], None]) -> None:
        self._context, self._on_change = context, on_change
        self.runners: list[ReplicaRunner] = []
        self._numbers: dict[tuple[str, str], int] = {}

    def plan(self, workloads: Iterable[Workload]) -> Turnover:
        """Compare with what runs: a replica of another template, or beyond the count, ends."""
        desired = {w.key: w for w in workloads}
        old = [
            r
            for r in self.runners
            if r.workload.key not in desired
            or r.workload.template != desired[r.workload.key].template
        ]
        new: list[tuple[Workload, int]] = []
        for workload in desired.values():
            staying = [r for r in self.runners if r.workload.key == workload.key and r not in old]
            staying.sort(key=lambda r: r.ordinal)
            old += staying[workload.replicas :]
            used = {r.ordinal for r in staying[: workload.replicas]}
            free = [n for n in range(workload.replicas) if n not in used]
            new += [(workload, n) for n in free[: workload.replicas - len(used)]]
        return Turnover(self._create_all(new, desired), tuple(old))

    def update(self, workloads: Iterable[Workload]) -> None:
        """Give the replicas that stay their new workload: a ConfigMap may have changed, which the
        next start of their app will see."""
        desired = {w.key: w for w in workloads}
        for runner in self.runners:
            workload = desired.get(runner.workload.key)
            if workload is not None and workload.template == runner.workload.template:
                runner.update(workload)

    def _create_all(
        self, new: Iterable[tuple[Workload, int]], desired: Mapping[tuple[str, str], Workload]
    ) -> tuple[ReplicaRunner, ...]:
        namespaces: dict[str, set[str]] = {}
        for namespace, name in (*desired, *(r.workload.key for r in self.runners)):
            namespaces.setdefault(name, set()).add(namespace)
        return tuple(
            self._create(workload, ordinal, ambiguous=len(namespaces[workload.name]) > 1)
            for workload, ordinal in new
        )

    def _create(self, workload: Workload, ordinal: int, *, ambiguous: bool) -> ReplicaRunner:
        """``ambiguous`` is whether another namespace has a workload of that name."""
        number = self._numbers[workload.key] = self._numbers.get(workload.key, 0) + 1
        stem = f"{workload.namespace}.{workload.name}" if ambiguous else workload.name
        name = f"{stem}-{workload.template[:5]}-{number}"
        return ReplicaRunner(self._context, workload, name, self._on_change, ordinal)

    async def start(
        self, runners: Iterable[ReplicaRunner], wait_for_turn: Callable[[], Awaitable[None]]
    ) -> None:
        """Start and wait until each is ready; no app before ``wait_for_turn`` has returned. Raises
        the first error; the caller ends them then."""
        new = list(runners)
        self.runners = [*self.runners, *new]
        await run_all(r.start(wait_for_turn) for r in new)
        await run_all(r.wait_ready() for r in new)

    async def end(self, runners: Iterable[ReplicaRunner], *, drain: bool) -> None:
        old = list(runners)
        await asyncio.gather(*(r.stop(drain=drain) for r in old), return_exceptions=True)
        self.runners = [r for r in self.runners if r not in old]

    def end_monitoring(self) -> None:
        """From now on nothing is restarted."""
        for runner in self.runners:
            runner.end_monitoring()

    def on_exit(self, exit_: Exit) -> None:
        """A process of the mesh ended."""
        for runner in self.runners:
            if runner.owns(exit_.name):
                runner.on_exit(exit_)
