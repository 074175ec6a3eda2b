"""A rule in process: how long until it is live, and until the last answer of the old one."""

from __future__ import annotations

import bisect
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from bench import suite
from bench.client import Seen
from bench.figures import Figure, Part, at_most, percentile
from bench.load import Load, answered, settings_for
from meshproof.mesh import STDIN, Mesh, Source

SWITCHES = 200
OLD, NEW = ("v0-1", "v0.1"), ("v0-2", "v0.2")
"""Subset and the version that its replicas answer."""


@dataclass(frozen=True, slots=True)
class Switch:
    """One ``apply``: when it began and returned, and which version must answer from then on."""

    began: float
    returned: float
    wanted: str


def measure() -> Part:
    with suite.running(suite.project(), "rules") as mesh:
        mesh.apply([suite.EGRESS, suite.HALF])
        quiet = live_times(mesh)
        switches, seen = _under_load(mesh)
    last, stale = old_answers(switches, seen)
    loaded = [s.returned - s.began for s in switches]
    note = f"{SWITCHES} switches, no load"
    busy = f"{SWITCHES} switches, 2 connections of load"
    return Part(
        "a rule in process, 4 workloads",
        [
            _ms("apply to live, p50", statistics.median(quiet), note),
            _ms("apply to live, p99", percentile(quiet, 99), note, 5.0),
            _ms("apply to live under load, p50", statistics.median(loaded), busy),
            _ms("apply to live under load, p99", percentile(loaded, 99), busy, 10.0),
            _ms("apply to the last old answer, p50", statistics.median(last), busy),
            _ms("apply to the last old answer, p99", percentile(last, 99), busy),
            Figure(
                "old answers to requests sent after apply returned",
                stale,
                "",
                at_most(0),
                f"of {len(seen.sent):,} requests",
            ),
        ],
        {"live": quiet, "live_under_load": loaded, "last_old_answer": last},
    )


def _ms(name: str, seconds: float, note: str, limit: float | None = None) -> Figure:
    return Figure(name, seconds * 1000, "ms", None if limit is None else at_most(limit), note)


def live_times(mesh: Mesh, switches: int = SWITCHES) -> list[float]:
    """Seconds of ``apply`` of the two rules of the switch, in turn."""
    rules = (suite.ALL_NEW, suite.HALF)
    return [mesh.apply([rules[turn % 2]]).seconds for turn in range(switches)]


def _under_load(mesh: Mesh) -> tuple[list[Switch], Seen]:
    """All calls to v0.1, all to v0.2, and so on, while two connections ask without pause."""
    import time  # noqa: PLC0415 - used here alone

    texts = {version: suite.all_of(subset) for subset, version in (OLD, NEW)}
    mesh.apply([Source(STDIN, texts[OLD[1]])])
    url = f"{mesh.url('gateway')}/pay"
    answered(url, suite.GOOD)
    settings = settings_for(url, connections=2, expect=suite.GOOD, mark=suite.MARK)
    switches = []
    with Load(settings) as load:
        for turn in range(SWITCHES):
            wanted = (NEW if turn % 2 == 0 else OLD)[1]
            began = time.monotonic()
            mesh.apply([Source(STDIN, texts[wanted])])
            switches.append(Switch(began, time.monotonic(), wanted))
            time.sleep(0.02)  # a few requests a switch, by which the old rule's end is seen
        return switches, load.stop()


def old_answers(switches: Sequence[Switch], seen: Seen) -> tuple[list[float], int]:
    """Seconds from the start of each apply to the last answer of the old rule, and how many
    requests that were sent after it had returned got an old answer. Pure.

    A request belongs to the switch that was the last to begin before it was sent or, where it was
    answered later than the next one began, while it was on its way: then either version is right.
    A switch that no old answer followed counts as 0 s.
    """
    began = [s.began for s in switches]
    last, stale = [0.0] * len(switches), 0
    for sent, took, mark in zip(seen.sent, seen.took, seen.mark, strict=True):
        end = sent + took
        at = bisect.bisect_right(began, end) - 1
        if at < 0 or not mark or mark == switches[at].wanted:
            continue
        last[at] = max(last[at], end - switches[at].began)
        stale += sent > switches[at].returned
    return last, stale
