"""One phase of an egress proof: load while msgd is watched, then both ends are judged."""

from __future__ import annotations

from e2e import msgd
from meshproof.mesh import Mesh
from meshproof.pytest_plugin import Judge, StartLoad
from meshproof.report.run import Run
from meshproof.verdicts import egress
from meshproof.verdicts.requests import accounting, no_failures

REQUESTS = 100
REFUSED = "refused"
"""The reason that svcb gives when the mesh refuses its call."""


class Phases:
    """Blocked and allowed, each on a run id of its own."""

    def __init__(self, mesh: Mesh, run: Run, load: StartLoad, judge: Judge) -> None:
        self._mesh, self._run, self._load, self._judge = mesh, run, load, judge

    def blocked(self, phase: str) -> None:
        """Every caller is told, msgd has nothing, and answers others all the while."""
        run_id, control_id = self._run.new(), self._run.new()
        with msgd.watched(self._mesh, control_id) as statuses:
            results = self._load(run_id=run_id, requests=REQUESTS).wait()
        control = egress.reachable(f"{phase}: msgd answers outside the mesh", statuses)
        self._judge(control)
        stored = msgd.stored(self._mesh, run_id)
        self._judge(
            egress.blocked(f"{phase}: blocked", results.records, stored, control, refusal=REFUSED)
        )
        logs = self._run.access_log(run_id)
        self._judge(
            no_failures(
                f"{phase}: payments", results.records, logs, sent=results.sent, notified=False
            )
        )

    def allowed(self, phase: str) -> None:
        """Every payment is notified, and in msgd exactly once."""
        run_id = self._run.new()
        results = self._load(run_id=run_id, requests=REQUESTS).wait()
        stored = msgd.stored(self._mesh, run_id)
        self._judge(egress.allowed(f"{phase}: allowed", results.records, stored))
        self._judge(accounting(f"{phase}: account", results.records, sent=results.sent))
        logs = self._run.access_log(run_id)
        self._judge(no_failures(f"{phase}: payments", results.records, logs, sent=results.sent))
