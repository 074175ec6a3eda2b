"""``assert_trace``: each request leaves one whole trace of exactly these calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from meshproof.assertions.context import AssertionContext, RunEvidence, build_call
from meshproof.control.protocols import SupportsTraces
from meshproof.mesh import Span
from meshproof.traffic.calls import GATEWAY
from meshproof.verdicts.call_graph import Edge, calls_match
from meshproof.verdicts.verdict import Verdict

BROKEN = r"no call .* -> |surplus|roots|orphan|requests left"
"""Why a trace that is not as expected fails."""


@dataclass(frozen=True, slots=True)
class AssertTrace:
    context: AssertionContext

    def __call__(
        self,
        url: str,
        calls: Sequence[Edge],
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
        """Each of ``n`` requests of ``url`` leaves one trace: one root, no orphan, and exactly the
        ``calls``: ``[("gateway", "web"), ("web", "cart"), ("cart", "rates.example.com")]``,
        each as often as it is made.

        Names are those of the workloads' ``app`` label (``cart``, or ``cart.shop`` with its
        namespace), ``gateway``, and hosts outside. An app that does not forward trace headers
        breaks the trace, and fails.
        """
        __tracebackhide__ = True
        call = build_call(from_, url, method=method, headers=headers, body=body)
        evidence = self.context.send(call, n)
        title = name or f"trace: {call}"
        verdict = calls_match(title, n, _spans(self.context, evidence), list(calls))
        return self.context.require(verdict, expect, because)


def _spans(context: AssertionContext, evidence: RunEvidence) -> list[Span]:
    """Every span of the run, and all others of the same traces: an app need not forward the run id.
    A mesh whose traces cannot be queried has only the spans with the run id."""
    spans = context.run.spans(evidence.run_id)
    if not isinstance(context.mesh, SupportsTraces):
        return spans
    return context.mesh.trace_spans(sorted({span.trace_id for span in spans}))
