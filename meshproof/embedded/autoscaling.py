"""Honours HorizontalPodAutoscalers: measures, decides (``meshproof.hpa``), scales.

Once a second, where Kubernetes does so every 15: local replicas start within a second, and their
processor time and requests are read directly, not collected first.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from typing import Protocol

from meshproof.admission.store import Store
from meshproof.embedded.admission import hpa_targets
from meshproof.embedded.context import MeshContext
from meshproof.embedded.fleet import Fleet
from meshproof.embedded.pod.replica import ReplicaRunner
from meshproof.errors import MeshproofError
from meshproof.host.process_usage import measure_sessions
from meshproof.hpa.decide import Decision, History, MetricReading, decide
from meshproof.model.kube_hpa import Metric
from meshproof.model.resource import Resource

PERIOD = 1.0
"""Seconds between two decisions; processor time is an average over it."""
_SAMPLES = 5
"""Readings of the requests in flight in a period."""
_IN_FLIGHT = r"^http\.inbound.*\.downstream_rq_active$"
_log = logging.getLogger("meshproof")


class Samples:
    """What the replicas used in one period, by their names."""

    def __init__(self) -> None:
        self.cores: dict[str, float] = {}
        self.in_flight: dict[str, list[int]] = {}


class ScalableMesh(Protocol):
    """What the autoscaler needs of the engine."""

    @property
    def store(self) -> Store: ...

    @property
    def fleet(self) -> Fleet: ...

    async def change(self, edit: Callable[[Store], Store], started: float) -> object: ...


class Autoscaler:
    """The autoscaler of one mesh. Run it in the event loop of its engine."""

    def __init__(self, context: MeshContext, mesh: ScalableMesh) -> None:
        self._context, self._mesh = context, mesh
        self._histories: dict[tuple[str, str, str], History] = {}

    async def run(self) -> None:
        """Until cancelled. Without a HorizontalPodAutoscaler it measures nothing."""
        while True:
            applied = self._mesh.store.of("HorizontalPodAutoscaler")
            self._histories = {s.key: self._histories.get(s.key, History()) for s in applied}
            if not applied:
                await asyncio.sleep(PERIOD)
                continue
            samples = await self._measure(applied)
            for scaler in applied:
                await self._scale(scaler, samples)

    # -- measuring -----------------------------------------------------------------------------

    async def _measure(self, applied: Iterable[Resource]) -> Samples:
        """Takes one period."""
        keys = {hpa_targets.target(s) for s in applied}
        runners = [r for r in self._mesh.fleet.runners if r.workload.key in keys and r.ready]
        counting = any(m.type == "Pods" for s in applied for m in s.spec.effective_metrics)
        samples, began = Samples(), time.monotonic()
        before = await self._read_processor_time(runners)
        for _ in range(_SAMPLES):
            if counting:
                await self._count_requests(runners, samples)
            await asyncio.sleep(PERIOD / _SAMPLES)
        after = await self._read_processor_time(runners)
        elapsed = time.monotonic() - began
        for name in before.keys() & after.keys():
            pid, used = after[name]
            if before[name][0] == pid:  # else it was restarted meanwhile
                samples.cores[name] = (used - before[name][1]) / elapsed
        return samples

    async def _read_processor_time(
        self, runners: Iterable[ReplicaRunner]
    ) -> dict[str, tuple[int, float]]:
        """Replica -> pid of its app, and the processor seconds that it has used so far."""
        running = self._context.supervisor.running
        pids = {r.name: running[r.name] for r in runners if r.name in running}
        usage = await asyncio.to_thread(measure_sessions, list(pids.values()))
        return {name: (pid, usage[pid].cpu_seconds) for name, pid in pids.items()}

    async def _count_requests(self, runners: Iterable[ReplicaRunner], samples: Samples) -> None:
        async def count(runner: ReplicaRunner) -> None:
            try:
                active = await runner.envoy.stats(_IN_FLIGHT)
            except MeshproofError:
                return  # it is paused, or ending: unknown
            samples.in_flight.setdefault(runner.name, []).append(sum(active.values()))

        await asyncio.gather(*(count(r) for r in runners))

    # -- deciding ------------------------------------------------------------------------------

    async def _scale(self, scaler: Resource, samples: Samples) -> None:
        deployment = hpa_targets.scaled_by(self._mesh.store.ordered(), scaler)
        if deployment is None or not deployment.spec.replicas:
            return  # it is not applied, or 0 replicas switch the autoscaler off, as in Kubernetes
        key = hpa_targets.target(scaler)
        names = [r.name for r in self._mesh.fleet.runners if r.workload.key == key]
        readings = [_reading(m, deployment, names, samples) for m in scaler.spec.effective_metrics]
        current, now = deployment.spec.replicas, time.monotonic()
        decision = decide(scaler.spec, current, readings, self._histories[scaler.key], now)
        changed = await self._change(scaler, deployment, decision)
        by = decision.replicas - current if changed else 0
        self._histories[scaler.key] = decision.history.change(now, by)

    async def _change(self, scaler: Resource, deployment: Resource, decision: Decision) -> bool:
        """Returns whether the number was changed."""
        namespace, name = deployment.namespace, deployment.name
        current, desired = deployment.spec.replicas, decision.replicas
        if desired == current:
            return False

        def edit(store: Store) -> Store:
            if scaler.key not in store.entries or _replicas(store, deployment) != current:
                return store  # it was changed meanwhile
            return store.scale(namespace, name, desired)

        try:
            await self._mesh.change(edit, time.monotonic())
        except MeshproofError as error:
            _log.warning("%s: cannot scale to %d replicas: %s", scaler.title, desired, error)
            return False
        _log.info("%s: %d -> %d: %s", scaler.title, current, desired, decision.reason)
        return True


def _reading(
    metric: Metric, deployment: Resource, names: Iterable[str], samples: Samples
) -> MetricReading:
    if metric.pods is not None:
        counts = [samples.in_flight.get(name) for name in names]
        averages = tuple(sum(c) / len(c) if c else None for c in counts)
        return MetricReading("requests in flight", averages, metric.pods.target.average_value)
    assert metric.resource is not None, "the model wants one of the two"
    target = metric.resource.target
    cores = [samples.cores.get(name) for name in names]
    if target.average_value is not None:
        return MetricReading("cpu, in cores,", tuple(cores), target.average_value)
    assert target.average_utilization is not None, "the model wants one of the two"
    request = hpa_targets.cpu_request(deployment)
    shares = tuple(100 * c / request if c is not None and request else None for c in cores)
    return MetricReading("cpu, in % of what is requested,", shares, target.average_utilization)


def _replicas(store: Store, deployment: Resource) -> int:
    entry = store.entries.get(deployment.key)
    return entry[1].spec.replicas if entry else -1
