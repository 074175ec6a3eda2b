"""What a dashboard asks an embedded mesh for, again and again."""

from __future__ import annotations

from meshproof.embedded.engine import Engine
from meshproof.embedded.process_names import owner_of
from meshproof.embedded.queries import Looking
from meshproof.embedded.telemetry import evidence
from meshproof.host.process_usage import measure_sessions
from meshproof.mesh import Topology, Usage
from meshproof.translate.traffic_shares import serving_workloads, workload_shares


class Watching(Looking):
    """``meshproof.control.routes.dashboard.Watched``."""

    def topology(self) -> Topology:
        engine = self._live()
        world = engine.world()
        return Topology(tuple(workload_shares(world)), _outside(engine), serving_workloads(world))

    def usage(self) -> list[Usage]:
        running = self._live().runtime.supervisor.running
        sessions = measure_sessions(running.values())
        return [
            Usage(*owner_of(name), sessions[pid].cpu_seconds, sessions[pid].memory_bytes)
            for name, pid in sorted(running.items())
        ]

    def request_metrics(self) -> str:
        engine = self._live()
        return self._run(evidence.metrics(evidence.envoys(engine), only=evidence.REQUESTS))


def _outside(engine: Engine) -> dict[str, str]:
    """The host of every entry, and of every declared one; an address by the name of its host."""
    names = {alias: host.host for host in engine.outside for alias in host.declared.aliases}
    found = {host.host: host.host for host in engine.outside}
    for entry in engine.world().service_entries:
        called = entry.spec.addresses[0] if entry.spec.addresses else entry.spec.hosts[0]
        found |= dict.fromkeys(entry.spec.hosts, names.get(called, called))
    return found
