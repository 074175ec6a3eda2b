"""``assert_trace``: one whole trace a request, of just the calls that are named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from meshproof.assertions.context import Bench, Sent, call_of
from meshproof.control.protocols import Traced
from meshproof.mesh import Span
from meshproof.traffic.calls import GATEWAY
from meshproof.verdicts.call_graph import Edge, calls_match
from meshproof.verdicts.verdict import Verdict

BROKEN = r"no call .* -> |surplus|roots|orphan|requests left"
"""Why a trace that is not as wanted fails."""


@dataclass(frozen=True, slots=True)
class AssertTrace:
    bench: Bench

    def __call__(
        self,
        url: str,
        wanted: Sequence[Edge],
        *,
        from_: str = GATEWAY,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        n: int = 10,
        expect: str = "pass",
        because: str = BROKEN,
        name: str = "",
    ) -> Verdict:
        """Each of ``n`` requests of ``url`` leaves one trace: one root, nothing orphaned, and just
        the calls ``wanted``: ``[("gateway", "svca"), ("svca", "svcb"), ("svcb", "msgd.test")]``,
        each as often as it is made.

        Names are those of the workloads' ``app`` label (``svcb``, or ``svcb.shop`` with its
        namespace), ``gateway``, and hosts outside. An app that hands on no trace headers breaks
        the trace: that is what this finds.
        """
        __tracebackhide__ = True
        call = call_of(from_, url, method=method, headers=headers, body=body)
        sent = self.bench.send(call, n)
        title = name or f"trace: {call}"
        verdict = calls_match(title, n, _spans(self.bench, sent), list(wanted))
        return self.bench.judge(verdict, expect=expect, because=because if expect == "fail" else "")


def _spans(bench: Bench, sent: Sent) -> list[Span]:
    """Every span of the run, and every other of the same traces: an app need not hand on the run
    id. On a mesh that cannot be asked for traces, those that carry it."""
    spans = bench.run.spans(sent.run_id)
    if not isinstance(bench.mesh, Traced):
        return spans
    return bench.mesh.trace_spans(sorted({span.trace_id for span in spans}))
