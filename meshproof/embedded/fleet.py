"""All replicas of the mesh: which are to start and which to end for a set of workloads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from meshproof.embedded.replica import ReplicaRunner
from meshproof.embedded.runtime import Runtime
from meshproof.embedded.spec import Exit
from meshproof.embedded.workload import Workload
from meshproof.errors import MeshproofError


@dataclass(frozen=True)
class Turnover:
    """What a change does to the fleet: start ``coming``, then end ``going``."""

    coming: tuple[ReplicaRunner, ...]
    going: tuple[ReplicaRunner, ...]


class Fleet:
    def __init__(self, runtime: Runtime, on_change: Callable[[], None]) -> None:
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
        coming = []
        for workload in wanted.values():
            staying = [r for r in self.runners if r.workload.key == workload.key and r not in going]
            going += staying[workload.replicas :]
            for runner in staying:
                runner.workload = workload
            coming += [self._runner(workload) for _ in range(workload.replicas - len(staying))]
        return Turnover(tuple(coming), tuple(going))

    def _runner(self, workload: Workload) -> ReplicaRunner:
        number = self._numbers[workload.key] = self._numbers.get(workload.key, 0) + 1
        others = {r.workload.namespace for r in self.runners if r.workload.name == workload.name}
        clash = bool(others - {workload.namespace})
        stem = f"{workload.namespace}.{workload.name}" if clash else workload.name
        return ReplicaRunner(
            self._runtime, workload, f"{stem}-{workload.template[:5]}-{number}", self._on_change
        )

    async def start(self, runners: Iterable[ReplicaRunner]) -> None:
        """Start and wait until each is ready. On failure all of them are ended, and the first
        error is raised."""
        coming = list(runners)
        self.runners += coming
        try:
            await _all(r.start() for r in coming)
            await _all(r.until_ready() for r in coming)
        except BaseException:
            await self.end(coming, drain=False)
            raise

    async def end(self, runners: Iterable[ReplicaRunner], *, drain: bool) -> None:
        going = list(runners)
        await asyncio.gather(*(r.stop(drain=drain) for r in going), return_exceptions=True)
        self.runners = [r for r in self.runners if r not in going]

    def exited(self, exit_: Exit) -> None:
        for runner in self.runners:
            if exit_.name in (runner.name, runner.envoy.process):
                runner.exited(exit_)

    def named(self, name: str) -> ReplicaRunner:
        for runner in self.runners:
            if runner.name == name:
                return runner
        raise MeshproofError(f"no replica is named {name}")


async def _all(work: Iterable[object]) -> None:
    """Run together; the first failure cancels the others and is raised as itself."""
    try:
        async with asyncio.TaskGroup() as group:
            for coroutine in work:
                group.create_task(coroutine)  # type: ignore[arg-type]  # coroutines, all
    except BaseExceptionGroup as group_error:
        raise group_error.exceptions[0] from None
