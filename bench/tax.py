"""The mesh tax: ``/pay`` through five Envoys against the same services without any.

Both stand at the same time and are loaded in turn, so whatever else the machine does falls on
both. The plain services are started by the same supervisor with the same gunicorn settings, one
process each, as three more hosts outside the mesh; svca calls svcb, and svcb calls msgd, over
loopback. The mesh sends all calls to svcb v0.2, so on either side one process each has the work.
The mesh is the product's default: mTLS, every request traced and logged.
"""

from __future__ import annotations

import socket
import statistics
from contextlib import ExitStack
from dataclasses import dataclass, replace

from bench import processes, suite
from bench.figures import Figure, Part, at_least, at_most, ratio_of_medians
from bench.load import Result, answered, failed_of, run, settings_for
from meshproof.mesh import STDIN, Mesh, Source
from meshproof.project import OutsideHost, Project, RealAddress

ROUNDS = 10
SECONDS = 1.5
BUSY = 8
"""Connections of a throughput round: enough to keep every core at work."""
HOPS = 5
"""Envoys that a payment passes: gateway, svca in and out, svcb in and out."""
_PLAIN = "plain-{}.test"
_SIDES = {"mesh": "through the mesh", "plain": "without sidecars"}


@dataclass(frozen=True, slots=True)
class Round:
    """One load on one side, and the processor seconds that it took a request."""

    result: Result
    envoys: float
    apps: float


def measure() -> Part:
    project = with_plain_services(suite.project())
    with suite.running(project, "tax") as mesh:
        mesh.apply([suite.EGRESS])
        mesh.apply([Source(STDIN, suite.all_of("v0-2"))])
        urls = _urls(mesh)
        busy = _alternate(urls, BUSY)
        alone = _alternate(urls, 1)
    return _part(busy, alone)


def _urls(mesh: Mesh) -> dict[str, str]:
    urls = {
        "plain": f"{mesh.url(_PLAIN.format('svca'))}/pay",
        "mesh": f"{mesh.url('gateway')}/pay",
    }
    for url in urls.values():
        answered(url, suite.GOOD)
    return urls


def _alternate(urls: dict[str, str], connections: int) -> dict[str, list[Round]]:
    """Plain, mesh, mesh, plain, ...: a machine that slows down favours neither."""
    rounds: dict[str, list[Round]] = {side: [] for side in urls}
    for turn in range(ROUNDS):
        for side in sorted(urls, reverse=turn % 2 == 0):
            rounds[side].append(_round(urls[side], connections))
    return rounds


def _round(url: str, connections: int) -> Round:
    settings = settings_for(url, connections=connections, seconds=SECONDS, expect=suite.GOOD)
    before = _used()
    result = run(settings)
    envoys, apps = (now - then for now, then in zip(_used(), before, strict=True))
    return Round(result, envoys / result.sent, apps / result.sent)


def _used() -> tuple[float, float]:
    """Processor seconds of all Envoys, and of all apps, so far."""
    usage = [(p.sidecar, processes.cpu_seconds(p.pid)) for p in processes.of_this_process()]
    return sum(used for is_one, used in usage if is_one), sum(
        u for is_one, u in usage if not is_one
    )


def _part(busy: dict[str, list[Round]], alone: dict[str, list[Round]]) -> Part:
    rate = {side: [r.result.rate for r in rounds] for side, rounds in busy.items()}
    p50 = {side: [r.result.latency(50) for r in rounds] for side, rounds in alone.items()}
    p99 = {side: [r.result.latency(99) for r in rounds] for side, rounds in alone.items()}
    added = (statistics.median(p50["mesh"]) - statistics.median(p50["plain"])) * 1000 / HOPS
    note = f"medians of {ROUNDS} rounds a side in turn, {SECONDS:g} s each"
    one = "1 connection"
    rounds = [r.result for side in (*busy.values(), *alone.values()) for r in side]
    ratio = ratio_of_medians(rate["mesh"], rate["plain"])
    return Part(
        "mesh tax on /pay",
        [
            Figure("throughput, mesh to plain", ratio, "", at_least(0.85), note),
            *_rates(rate),
            *_work(busy),
            Figure("p50 added a hop", added, "ms", at_most(1.0), f"{HOPS} Envoys, {one}"),
            *_latencies("p50", p50, one),
            *_latencies("p99", p99, one),
            Figure("requests that failed", failed_of(rounds), "", at_most(0), "both sides"),
        ],
        {"rate": rate, "p50": p50, "p99": p99},
    )


def _rates(rate: dict[str, list[float]]) -> list[Figure]:
    note = f"{BUSY} connections"
    return [
        Figure(f"throughput {text}", statistics.median(rate[side]), "/s", None, note)
        for side, text in _SIDES.items()
    ]


def _work(busy: dict[str, list[Round]]) -> list[Figure]:
    """What explains the ratio, and does not depend on what else the machine does."""
    mesh, plain = busy["mesh"], busy["plain"]
    envoys = statistics.median(r.envoys for r in mesh) * 1000
    apps = statistics.median(r.apps for r in mesh) * 1000
    bare = statistics.median(r.apps for r in plain) * 1000
    note = "processor time of one payment"
    return [
        Figure("work of the Envoys", envoys, "ms", None, f"{note}, {HOPS} passages"),
        Figure("work of the apps through the mesh", apps, "ms", None, note),
        Figure("work of the apps without sidecars", bare, "ms", None, note),
    ]


def _latencies(name: str, values: dict[str, list[float]], note: str) -> list[Figure]:
    return [
        Figure(f"{name} {text}", statistics.median(values[side]) * 1000, "ms", None, note)
        for side, text in _SIDES.items()
    ]


def with_plain_services(project: Project) -> Project:
    """The project and three more hosts outside its mesh: svca, svcb and msgd without sidecars."""
    msgd_port, svcb_port, svca_port = _free_ports(3)
    msgd = next(h for h in project.outside.values() if h.command)
    plain = {
        "svca": _plain("svca", svca_port, {"SVCB_URL": f"http://127.0.0.1:{svcb_port}"}),
        "svcb": _plain("svcb", svcb_port, {"MSGD_URL": f"http://127.0.0.1:{msgd_port}"}),
        "msgd": _plain("msgd", msgd_port, dict(msgd.env)),
    }
    hosts = {_PLAIN.format(name): host for name, host in plain.items()}
    return replace(project, outside={**project.outside, **hosts})


def _plain(service: str, port: int, env: dict[str, str]) -> OutsideHost:
    return OutsideHost(
        ports={80: RealAddress(ip="127.0.0.1", port=port)},
        command=[
            *("{python}", "-m", "gunicorn", "--config", "services/common/gunicorn_conf.py"),
            *("--bind", "{ip}:{port}", f"services.{service}.wsgi:app"),
        ],
        env={"VERSION": "v0.2", **env},
        ready="/readyz",
    )


def _free_ports(count: int) -> list[int]:
    """Ports that are free now, picked while all are held, so that they differ."""
    with ExitStack() as held:
        ports = []
        for _ in range(count):
            probe = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            probe.bind(("127.0.0.1", 0))
            ports.append(int(probe.getsockname()[1]))
        return ports
