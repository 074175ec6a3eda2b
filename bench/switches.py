"""1,000 rule switches under steady load: not one request may fail, at the caller or in a log."""

from __future__ import annotations

import time

from bench import suite
from bench.client import Seen
from bench.figures import Figure, Part, at_most
from bench.load import Load, answered, settings_for
from meshproof.mesh import Mesh

SWITCHES = 1000
CONNECTIONS = 4
PAUSE = 0.01
"""Seconds between switches. Without it they would take the processor from the load, and hardly a
request would be on its way while a rule changes."""
RUN_ID = "bench-switches"


def measure() -> Part:
    with suite.running(suite.project(), "switches") as mesh:
        mesh.apply([suite.EGRESS, suite.HALF])
        seen, seconds = _load_and_switch(mesh)
        log = mesh.access_log(RUN_ID)
    broken = [r for r in log if r.code == 0 or r.code >= 500]
    rate = len(seen.sent) / seconds
    note = f"{SWITCHES:,} switches in {seconds:.0f} s, {rate:,.0f} requests a second"
    failed = seen.good.count(False)
    return Part(
        "switches under load",
        [
            Figure("requests that failed", failed, "", at_most(0), note),
            Figure(
                "5xx in any sidecar's log", len(broken), "", at_most(0), f"{len(log):,} records"
            ),
            Figure("requests sent", len(seen.sent), "", None, f"{CONNECTIONS} connections"),
        ],
        {
            "sent": len(seen.sent),
            "failed": failed,
            "seconds": seconds,
            "log_records": len(log),
            "log_5xx": [f"{r.sidecar} {r.direction} {r.code} {r.flags}" for r in broken[:20]],
        },
    )


def _load_and_switch(mesh: Mesh) -> tuple[Seen, float]:
    url = f"{mesh.url('gateway')}/pay"
    answered(url, suite.GOOD)
    rules = (suite.ALL_NEW, suite.HALF)
    settings = settings_for(url, connections=CONNECTIONS, run_id=RUN_ID, expect=suite.GOOD)
    with Load(settings) as load:
        begin = time.monotonic()
        for turn in range(SWITCHES):
            mesh.apply([rules[turn % 2]])
            time.sleep(PAUSE)
        return load.stop(), time.monotonic() - begin
