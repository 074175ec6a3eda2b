"""The phases of an egress proof: load while msgd is watched, then both ends are judged."""

from __future__ import annotations

from e2e.payments import egress, msgd
from e2e.payments.accounting import adds_up
from e2e.payments.requests import no_failures
from meshproof.mesh import Mesh
from meshproof.pytest_plugin import Judge, StartLoad
from meshproof.report.test_run import Run
from meshproof.traffic.results import Results
from meshproof.verdicts.verdict import Verdict

REQUESTS = 100
REFUSED = "refused"
"""The reason that svcb gives when the mesh refuses its call."""


class Phases:
    """Blocked and allowed, each on a run id of its own, with the other verdict as its control."""

    def __init__(self, mesh: Mesh, run: Run, load: StartLoad, judge: Judge) -> None:
        self._mesh, self._run, self._load, self._judge = mesh, run, load, judge

    def blocked(self, phase: str) -> None:
        """Every payer is told, and msgd has nothing, but answers direct requests all the while."""
        results, stored, control = self._observe(phase)
        records = results.records
        self._judge(egress.blocked(f"{phase}: blocked", records, stored, control, refusal=REFUSED))
        self._judge(
            egress.allowed(f"{phase}: allowed", records, stored),
            expect="fail",
            because=r"not notified \(refused\)",
        )
        self._payments(phase, results, notified=False)

    def allowed(self, phase: str) -> None:
        """Every payment is notified, and in msgd exactly once."""
        results, stored, control = self._observe(phase)
        records = results.records
        self._judge(egress.allowed(f"{phase}: allowed", records, stored))
        self._judge(
            egress.blocked(f"{phase}: blocked", records, stored, control, refusal=REFUSED),
            expect="fail",
            because=f"callers were told|msgd holds {REQUESTS} messages",
        )
        self._payments(phase, results, notified=True)

    def _observe(self, phase: str) -> tuple[Results, list[str], Verdict]:
        """The load's results, the ids that msgd holds of it, and the control: msgd answered."""
        run_id, control_id = self._run.new(), self._run.new()
        with msgd.watch(self._mesh, control_id) as statuses:
            results = self._load(run_id=run_id, requests=REQUESTS).wait()
        control = self._judge(egress.reachable(f"{phase}: msgd answers outside", statuses))
        return results, msgd.message_ids(self._mesh, run_id), control

    def _payments(self, phase: str, results: Results, *, notified: bool) -> None:
        records, logs = results.records, self._run.access_log(results.run_id)
        self._judge(adds_up(f"{phase}: account", records, sent=results.sent))
        self._judge(
            no_failures(f"{phase}: requests", records, logs, sent=results.sent, notified=notified)
        )
