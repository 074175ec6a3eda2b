"""An overloaded svca: five times as many payers as it can serve, and what became of them.

Capacity is made small by waiting, not by work: svcb takes 0.6 s, so svca's 16 threads serve 26
payments a second on any machine, and five times that is still light.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from e2e.payments.payment import is_notified
from e2e.payments.rules import EGRESS_BY_ADDRESS, deployments
from meshproof.mesh import Mesh, Source
from meshproof.pytest_plugin import Judge, StartLoad
from meshproof.report.test_run import Run
from meshproof.traffic.record import Record
from meshproof.traffic.results import Results
from meshproof.verdicts.latency import latency_below
from meshproof.verdicts.overload import Flow, goodput_holds, nobody_hangs, offered, served
from meshproof.verdicts.recovery import recovered
from meshproof.verdicts.verdict import Verdict

SLOW = {"DELAY_MS": "600"}
THREADS = 16
PERIOD = 1.5
PATIENCE = 1.4
"""Seconds between two payments of one payer, and until it gives up: twice what a payment takes."""
TIMES = 5
WITHIN = 0.2
ROUNDS = 4
"""Payments of each payer of the crowd; during the first of them the payers arrive."""
REGULARS = 15
"""Payers during and after it, who show the recovery: 10 payments a second."""
REFUSED_IN = 1.0
"""Seconds within which a refusal must come, on a busy machine; a payment takes longer."""
LOCUSTFILE = Path(__file__).with_name("overload_locustfile.py")


def slow_down(mesh: Mesh) -> None:
    """svcb is slow, and nothing protects svca yet: so its capacity is measured."""
    mesh.apply([EGRESS_BY_ADDRESS["v1"]])
    mesh.apply([Source("svcb takes 0.6 s", deployments("svcb", SLOW))])


def measure_capacity(load: StartLoad, run: Run) -> Flow:
    """The goodput with as many payers as svca serves at once; each waits for its answer."""
    results = load(requests=3 * THREADS, users=THREADS, run_id=run.new()).wait()
    return Flow(sum(map(is_notified, results.records)), results.seconds)


@dataclass(frozen=True, slots=True)
class Overload:
    """A ``crowd`` of so many ``payers`` came on top of the ``regulars``, if there were any."""

    peak: Flow
    payers: int
    crowd: Results
    regulars: tuple[Record, ...] = ()

    def holds(self, name: str) -> Verdict:
        """Judged from when the crowd has sent one payment a payer, so that all have arrived, until
        it stops."""
        window = self.crowd.records[self.payers].time, self.crowd.records[-1].time
        records = (*self.crowd.records, *self.regulars)
        sent, good = offered(records, window), served(records, window, is_notified)
        return goodput_holds(name, self.peak, sent, good, times=TIMES, within=WITHIN)

    def recovers(self, name: str) -> Verdict:
        outcomes = [(r.time, is_notified(r)) for r in self.regulars]
        return recovered(name, self.crowd.records[-1].time, outcomes, enough=REGULARS)


def run_crowd(load: StartLoad, run: Run, peak: Flow) -> Overload:
    """Send five times the capacity until every payer has sent ``ROUNDS`` payments on average:
    however late a busy machine lets them begin. Raises LoadError where it never does."""
    payers = round(TIMES * peak.rate * PERIOD)
    crowd = load(users=payers, locustfile=LOCUSTFILE, run_id=run.new())
    return Overload(peak, payers, crowd.reach(ROUNDS * payers).stop())


def run_crowd_beside_regulars(load: StartLoad, run: Run, peak: Flow) -> Overload:
    """The same beside a few regular payers, who go on when the crowd has stopped."""
    regulars = load(users=REGULARS, locustfile=LOCUSTFILE, run_id=run.new())
    overload = run_crowd(load, run, peak)
    records = regulars.reach(regulars.progress() + REGULARS + 5).stop().records
    return replace(overload, regulars=records)


def judge_overload(name: str, overload: Overload, judge: Judge, refusal: int) -> None:
    """The goodput holds, refusals are quick, nobody hangs, and all is well afterwards."""
    judge(overload.holds(f"{name}: goodput"))
    payers = (*overload.crowd.records, *overload.regulars)
    judge(nobody_hangs(f"{name}: nobody hangs", payers, refusal=refusal))
    refused = [r.elapsed for r in payers if r.status == refusal]
    judge(latency_below(f"{name}: refusals", refused, seconds=REFUSED_IN, confidence=0.95))
    judge(overload.recovers(f"{name}: recovery"))
