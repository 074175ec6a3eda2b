"""The mesh tax: ``/pay`` through five Envoys against the same services without any, and behind
bare Envoys.

All stand at the same time and are loaded in turn, so whatever else the machine does falls on
all. The plain services are started by the same supervisor with the same gunicorn settings, one
process each, as three more hosts outside the mesh; svca calls svcb, and svcb calls msgd, over
loopback; three more are behind bare Envoys (``bare``). The mesh sends all calls to svcb v0.2, so on
each side one process each has the work. The mesh is the product's default: mTLS, every request
traced and logged. ``lean`` is the same mesh as Istio reports by default: 1 % of the requests
traced, no log.
"""

from __future__ import annotations

import socket
import statistics
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from bench import bare, processes, suite
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
_PLAIN, _BARE = "plain-{}.test", "bare-{}.test"
_SIDES = {
    "mesh": "through the mesh",
    "lean": "with 1 % traced and no log",
    "bare": "through bare Envoys",
    "plain": "without sidecars",
}
_LEAN = """
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: bench-lean, namespace: istio-system}
spec: {tracing: [{randomSamplingPercentage: 1}], accessLogging: [{disabled: true}]}
"""


@dataclass(frozen=True, slots=True)
class Round:
    """One load on one side, and the processor seconds that it took a request."""

    result: Result
    envoys: float
    apps: float


def measure() -> Part:
    with tempfile.TemporaryDirectory(prefix="meshproof-bench-") as folder:
        project = with_plain_services(suite.project(), Path(folder))
        with suite.running(project, "tax") as mesh:
            mesh.apply([suite.EGRESS])
            mesh.apply([Source(STDIN, suite.all_of("v0-2"))])
            urls = _urls(mesh)
            busy = _alternate(mesh, urls, _SIDES, BUSY)
            alone = _alternate(mesh, urls, ("mesh", "plain"), 1)
    return _part(busy, alone)


def _urls(mesh: Mesh) -> dict[str, str]:
    urls = {
        "plain": f"{mesh.url(_PLAIN.format('svca'))}/pay",
        "bare": f"{mesh.url(_BARE.format('gateway'))}/pay",
        "mesh": f"{mesh.url('gateway')}/pay",
    }
    for url in urls.values():
        answered(url, suite.GOOD)
    return {**urls, "lean": urls["mesh"]}


def _alternate(
    mesh: Mesh, urls: dict[str, str], sides: Iterable[str], connections: int
) -> dict[str, list[Round]]:
    """There and back again, turn by turn: a machine that slows down favours no side."""
    order = list(sides)
    rounds: dict[str, list[Round]] = {side: [] for side in order}
    for turn in range(ROUNDS):
        for side in reversed(order) if turn % 2 else order:
            lean = [Source(STDIN, _LEAN)] if side == "lean" else []
            if lean:
                mesh.apply(lean)
            rounds[side].append(_round(urls[side], connections))
            if lean:
                mesh.delete(lean)
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
    work = {side: [r.envoys for r in rounds] for side, rounds in busy.items()}
    added = (statistics.median(p50["mesh"]) - statistics.median(p50["plain"])) * 1000 / HOPS
    note = f"medians of {ROUNDS} rounds a side in turn, {SECONDS:g} s each"
    one = "1 connection"
    rounds = [r.result for side in (*busy.values(), *alone.values()) for r in side]
    ratio = ratio_of_medians(rate["mesh"], rate["plain"])
    bare_ratio = ratio_of_medians(rate["bare"], rate["plain"])
    return Part(
        "mesh tax on /pay",
        [
            Figure("throughput, mesh to plain", ratio, "", at_least(0.8), note),
            Figure("throughput, bare Envoys to plain", bare_ratio, "", None, note),
            *_rates(rate),
            *_beside_bare(work),
            *_work(busy),
            Figure("p50 added a hop", added, "ms", at_most(1.0), f"{HOPS} Envoys, {one}"),
            *_latencies("p50", p50, one),
            *_latencies("p99", p99, one),
            Figure("requests that failed", failed_of(rounds), "", at_most(0), "both sides"),
        ],
        {"rate": rate, "p50": p50, "p99": p99, "work": work},
    )


def _beside_bare(work: dict[str, list[float]]) -> list[Figure]:
    """Pair by pair: both of a pair had the same machine."""
    limits = {"mesh": 1.25, "lean": 1.1}
    figures = []
    for side, limit in limits.items():
        ratios = [ours / bare for ours, bare in zip(work[side], work["bare"], strict=True)]
        quartiles = statistics.quantiles(ratios, n=4)
        note = f"processor time; quartiles {quartiles[0]:.2f} and {quartiles[2]:.2f}"
        name = f"Envoys {_SIDES[side]}, bare ones = 1"
        figures.append(Figure(name, statistics.median(ratios), "", at_most(limit), note))
    return figures


def _rates(rate: dict[str, list[float]]) -> list[Figure]:
    note = f"{BUSY} connections"
    return [
        Figure(f"throughput {_SIDES[side]}", statistics.median(values), "/s", None, note)
        for side, values in rate.items()
    ]


def _work(busy: dict[str, list[Round]]) -> list[Figure]:
    """What explains the ratio, and does not depend on what else the machine does."""
    mesh, plain = busy["mesh"], busy["plain"]
    envoys = statistics.median(r.envoys for r in mesh) * 1000
    bare_envoys = statistics.median(r.envoys for r in busy["bare"]) * 1000
    apps = statistics.median(r.apps for r in mesh) * 1000
    bare = statistics.median(r.apps for r in plain) * 1000
    note = "processor time of one payment"
    return [
        Figure("work of the Envoys", envoys, "ms", None, f"{note}, {HOPS} passages"),
        Figure("work of bare Envoys", bare_envoys, "ms", None, f"{note}, {HOPS} passages"),
        Figure("work of the apps through the mesh", apps, "ms", None, note),
        Figure("work of the apps without sidecars", bare, "ms", None, note),
    ]


def _latencies(name: str, values: dict[str, list[float]], note: str) -> list[Figure]:
    return [
        Figure(f"{name} {_SIDES[side]}", statistics.median(rounds) * 1000, "ms", None, note)
        for side, rounds in values.items()
    ]


def with_plain_services(project: Project, folder: Path) -> Project:
    """The project and more hosts outside its mesh: svca, svcb and msgd without sidecars, and the
    same once more behind bare Envoys, whose files are in ``folder``."""
    msgd = next(h for h in project.outside.values() if h.command)
    ports = iter(_free_ports(11))
    msgd_port, svcb_port, svca_port = next(ports), next(ports), next(ports)
    plain = _services(dict(msgd.env), (msgd_port, svcb_port, svca_port), (svcb_port, msgd_port))
    hosts = {_PLAIN.format(name): host for name, host in plain.items()}
    msgd_port, svcb_port, svca_port = next(ports), next(ports), next(ports)
    gateway, svca_in, svca_out, svcb_in, svcb_out = ports
    apps = (msgd_port, svcb_port, svca_port)
    behind = _services(dict(msgd.env), apps, (svca_out, svcb_out))
    behind |= {
        "gateway": bare.envoy_host(folder, "gateway", {gateway: svca_in}),
        "by-svca": bare.envoy_host(folder, "svca", {svca_in: svca_port, svca_out: svcb_in}),
        "by-svcb": bare.envoy_host(folder, "svcb", {svcb_in: svcb_port, svcb_out: msgd_port}),
    }
    hosts |= {_BARE.format(name): host for name, host in behind.items()}
    return replace(project, outside={**project.outside, **hosts})


def _services(
    env: dict[str, str], ports: tuple[int, int, int], called: tuple[int, int]
) -> dict[str, OutsideHost]:
    """msgd, svcb and svca at ``ports``; ``called`` are those by which svca calls svcb, and svcb
    msgd."""
    msgd, svcb, svca = ports
    to_svcb, to_msgd = map("http://127.0.0.1:{}".format, called)
    return {
        "svca": _plain("svca", svca, {"SVCB_URL": to_svcb}),
        "svcb": _plain("svcb", svcb, {"MSGD_URL": to_msgd}),
        "msgd": _plain("msgd", msgd, env),
    }


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
