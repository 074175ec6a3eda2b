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
from dataclasses import replace

from bench import suite
from bench.figures import Figure, Part, at_least, at_most, ratio_of_medians
from bench.load import Result, all_good, answered, run, settings_for
from meshproof.mesh import Mesh
from meshproof.project import OutsideHost, Project, RealAddress

ROUNDS = 10
SECONDS = 1.5
BUSY = 8
"""Connections of a throughput round: enough to keep every core at work."""
HOPS = 5
"""Envoys that a payment passes: gateway, svca in and out, svcb in and out."""
_PLAIN = "plain-{}.test"


def measure() -> Part:
    project = with_plain_services(suite.project())
    with suite.running(project, "tax") as mesh:
        mesh.apply([suite.EGRESS])
        mesh.apply_text(suite.all_of("v0-2"))
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


def _alternate(urls: dict[str, str], connections: int) -> dict[str, list[Result]]:
    """Plain, mesh, mesh, plain, ...: a machine that slows down favours neither."""
    results: dict[str, list[Result]] = {side: [] for side in urls}
    for turn in range(ROUNDS):
        for side in sorted(urls, reverse=turn % 2 == 0):
            settings = settings_for(
                urls[side], connections=connections, seconds=SECONDS, expect=suite.GOOD
            )
            results[side].append(run(settings))
    return results


def _part(busy: dict[str, list[Result]], alone: dict[str, list[Result]]) -> Part:
    rate = {side: [r.rate for r in results] for side, results in busy.items()}
    p50 = {side: [r.latency(50) for r in results] for side, results in alone.items()}
    p99 = {side: [r.latency(99) for r in results] for side, results in alone.items()}
    middle = {side: statistics.median(values) for side, values in rate.items()}
    added = (statistics.median(p50["mesh"]) - statistics.median(p50["plain"])) * 1000 / HOPS
    note = f"medians of {ROUNDS} rounds a side in turn, {SECONDS:g} s each"
    many, one = f"{BUSY} connections", "1 connection"
    failed = all_good([r for results in (*busy.values(), *alone.values()) for r in results])
    return Part(
        "mesh tax on /pay",
        [
            Figure(
                "throughput, mesh to plain",
                ratio_of_medians(rate["mesh"], rate["plain"]),
                "",
                at_least(0.85),
                note,
            ),
            Figure("throughput through the mesh", middle["mesh"], "/s", None, many),
            Figure("throughput without sidecars", middle["plain"], "/s", None, many),
            Figure("p50 added a hop", added, "ms", at_most(1.0), f"{HOPS} Envoys, {one}"),
            *_latencies("p50", p50, one),
            *_latencies("p99", p99, one),
            Figure("requests that failed", failed, "", at_most(0), "both sides"),
        ],
        {"rate": rate, "p50": p50, "p99": p99},
    )


def _latencies(name: str, values: dict[str, list[float]], note: str) -> list[Figure]:
    sides = {"mesh": "through the mesh", "plain": "without sidecars"}
    return [
        Figure(f"{name} {text}", statistics.median(values[side]) * 1000, "ms", None, note)
        for side, text in sides.items()
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
