"""What every assertion works with: the mesh, the test's runs, its verdicts, and what it applied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from meshproof.assertions.apply import Apply
from meshproof.errors import UsageError
from meshproof.mesh import AccessRecord, Answer, Mesh
from meshproof.report.expectation import Judge
from meshproof.report.test_run import Run
from meshproof.traffic.calls import GATEWAY, Call, send
from meshproof.verdicts.access_records import belonging


@dataclass(frozen=True, slots=True)
class Sent:
    """Requests of one run, and every record of them and of the calls that they led to."""

    run_id: str
    answers: list[Answer]
    log: list[AccessRecord]


@dataclass(frozen=True, slots=True)
class Bench:
    mesh: Mesh
    run: Run
    judge: Judge
    apply: Apply

    def send(self, call: Call, n: int) -> Sent:
        """``n`` requests on a run id of their own. Raises UsageError for fewer than one."""
        if n < 1:
            raise UsageError(f"n is {n}; wanted at least one request")
        run_id = self.run.new()
        answers = send(self.mesh, call, n, run_id)
        return Sent(run_id, answers, self.run.access_log(run_id))

    def whole(self, sent: Sent) -> Sent:
        """The same with records of calls whose apps hand on trace headers, but no run id. They
        are looked for in all logs, so only where somebody wants them."""
        log = belonging(sent.run_id, self.mesh.access_log())
        return Sent(sent.run_id, sent.answers, log)


def call_of(
    from_: str,
    url: str,
    *,
    to: str = "",
    path: str = "/",
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
) -> Call:
    """The request that an assertion's words mean: ``url``, or ``path`` at the gateway or at
    ``to``. Raises UsageError for a path that does not begin with a slash."""
    if not url:
        if not path.startswith("/"):
            raise UsageError(f"path is {path!r}; wanted one that begins with /, or a whole url=")
        url = path if from_ == GATEWAY or not to else f"http://{to}{path}"
    return Call(from_, url, method, dict(headers or {}), body)
