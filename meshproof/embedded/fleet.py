"""All replicas of the mesh: which are to start and which to end for a set of workloads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from meshproof.embedded.context import MeshContext
from meshproof.embedded.pod.replica import ReplicaRunner
from meshproof.embedded.pod.workload import Workload
from meshproof.errors import MeshproofError
from meshproof.host.event_loop import run_all
from meshproof.host.process_spec import Exit


@dataclass(frozen=True)
class Turnover:
    """What a change does to the fleet: start ``coming``, then end ``going``."""

    coming: tuple[ReplicaRunner, ...]
    going: tuple[ReplicaRunner, ...]

    @property
    def waves(self) -> list[tuple[ReplicaRunner, ...]]:
        """``coming``, those with init containers last: what they wait for is served by then."""
        later = tuple(r for r in self.coming if r.workload.before)
        first = tuple(r for r in self.coming if not r.workload.before)
        return [wave for wave in (first, later) if wave]


class Fleet:
    def __init__(self, runtime: MeshContext, on_change: Callable[[], None]) -> None:
        self._runtime, self._on_change = runtime, on_change
        self.runners: list[ReplicaRunner] = []
        self._numbers: dict[tuple[str, str], int] = {}

    def plan(self, workloads: Iterable[Workload]) -> Turnover:
        """Compare with what runs: a replica of another template, or beyond the count, goes."""
        wanted = {w.key: w for w in workloads}
        going = [
            r
            for r in self.runners
            if r.workload.key not in wanted
            or r.workload.template != wanted[r.workload.key].template
        ]
        coming: list[tuple[Workload, int]] = []
        for workload in wanted.values():
            staying = [r for r in self.runners if r.workload.key == workload.key and r not in going]
            staying.sort(key=lambda r: r.number)
            going += staying[workload.replicas :]
            taken = {r.number for r in staying[: workload.replicas]}
            free = [n for n in range(workload.replicas) if n not in taken]
            coming += [(workload, n) for n in free[: workload.replicas - len(taken)]]
        return Turnover(self._runners(coming, wanted), tuple(going))

    def keep(self, workloads: Iterable[Workload]) -> None:
        """Replicas that stay belong to these from now on: a ConfigMap may have changed, which
        the next start of their app will see."""
        wanted = {w.key: w for w in workloads}
        for runner in self.runners:
            workload = wanted.get(runner.workload.key)
            if workload is not None and workload.template == runner.workload.template:
                runner.workload = workload
                runner.launching.fill(workload)

    def _runners(
        self, coming: Iterable[tuple[Workload, int]], wanted: Mapping[tuple[str, str], Workload]
    ) -> tuple[ReplicaRunner, ...]:
        namespaces: dict[str, set[str]] = {}
        for namespace, name in (*wanted, *(r.workload.key for r in self.runners)):
            namespaces.setdefault(name, set()).add(namespace)
        return tuple(
            self._runner(w, place, clash=len(namespaces[w.name]) > 1) for w, place in coming
        )

    def _runner(self, workload: Workload, place: int, *, clash: bool) -> ReplicaRunner:
        """``place`` is the replica's number in a StatefulSet, from 0."""
        number = self._numbers[workload.key] = self._numbers.get(workload.key, 0) + 1
        stem = f"{workload.namespace}.{workload.name}" if clash else workload.name
        return ReplicaRunner(
            self._runtime,
            workload,
            f"{stem}-{workload.template[:5]}-{number}",
            self._on_change,
            place,
        )

    async def start(self, runners: Iterable[ReplicaRunner]) -> None:
        """Start and wait until each is ready. Raises the first error; the caller ends them then."""
        coming = list(runners)
        self.runners = [*self.runners, *coming]
        await run_all(r.start() for r in coming)
        await run_all(r.until_ready() for r in coming)

    async def end(self, runners: Iterable[ReplicaRunner], *, drain: bool) -> None:
        going = list(runners)
        await asyncio.gather(*(r.stop(drain=drain) for r in going), return_exceptions=True)
        self.runners = [r for r in self.runners if r not in going]

    def exited(self, exit_: Exit) -> None:
        for runner in self.runners:
            if exit_.name in (runner.name, runner.envoy.process):
                runner.watch.exited(exit_)
            elif runner.beside.owns(exit_.name):
                runner.beside.exited(exit_)

    def named(self, name: str) -> ReplicaRunner:
        for runner in self.runners:
            if runner.name == name:
                return runner
        raise MeshproofError(f"no replica is named {name}")
