"""What every assertion works with: the mesh, the test's run, its judge and its ``apply``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from meshproof.assertions.apply import Apply
from meshproof.errors import UsageError
from meshproof.mesh import AccessRecord, Answer, Mesh
from meshproof.report.expectation import Judge
from meshproof.report.test_run import Run
from meshproof.traffic.calls import GATEWAY, Call, send
from meshproof.verdicts.access_records import records_of_run
from meshproof.verdicts.verdict import Verdict


@dataclass(frozen=True, slots=True)
class RunEvidence:
    """The answers to the requests of one run, and the access log of these and of the calls that
    they caused."""

    run_id: str
    answers: list[Answer]
    log: list[AccessRecord]


@dataclass(frozen=True, slots=True)
class AssertionContext:
    mesh: Mesh
    run: Run
    judge: Judge
    apply: Apply

    def require(self, verdict: Verdict, expect: str, because: str) -> Verdict:
        """``judge``; a ``because`` with a default counts for a negative control only."""
        __tracebackhide__ = True
        return self.judge(verdict, expect=expect, because=because if expect == "fail" else "")

    def send(self, call: Call, n: int) -> RunEvidence:
        """Send ``n`` requests on a run id of their own. Raises UsageError for fewer than one."""
        if n < 1:
            raise UsageError(f"n is {n}; wanted at least one request")
        run_id = self.run.new()
        answers = send(self.mesh, call, n, run_id)
        return RunEvidence(run_id, answers, self.run.access_log(run_id))

    def with_traced_calls(self, evidence: RunEvidence) -> RunEvidence:
        """The same with calls by apps that forward trace headers, but no run id. All logs are
        searched for them, so ask only where they are needed."""
        log = records_of_run(evidence.run_id, self.mesh.access_log())
        return RunEvidence(evidence.run_id, evidence.answers, log)


def build_call(
    from_: str,
    url: str,
    *,
    to: str = "",
    path: str = "/",
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
) -> Call:
    """The request of an assertion's arguments: ``url``, or ``path`` at the gateway or at ``to``.
    Raises UsageError for a path that does not begin with a slash."""
    if not url:
        if not path.startswith("/"):
            raise UsageError(f"path is {path!r}; wanted one that begins with /, or a whole url=")
        url = path if from_ == GATEWAY or not to else f"http://{to}{path}"
    return Call(from_, url, method, dict(headers or {}), body)
