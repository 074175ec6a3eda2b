"""Is there one whole trace for every request, and is it this chain of spans? Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from meshproof.mesh import Span
from meshproof.telemetry.span_tree import Node, SpanIds, Tree, build
from meshproof.verdicts.verdict import Verdict, conclude, some


@dataclass(frozen=True, slots=True)
class Step:
    """One expected span: of which app's sidecar, on which side, and where the call went."""

    app: str
    """``svca`` for the Envoy cluster ``svca.default``."""
    kind: str = ""
    """CLIENT or SERVER; empty for either."""
    to: str = ""
    """A text that some tag of the span must contain, such as the host of an egress call."""

    def matches(self, span: Span) -> bool:
        return (
            span.service.split(".")[0] == self.app
            and self.kind in ("", span.kind)
            and (not self.to or any(self.to in value for value in span.tags.values()))
        )

    def __str__(self) -> str:
        return f"{self.app}{_side(self.kind)}" + (f" (to {self.to})" if self.to else "")


def trees(spans: Sequence[Span]) -> dict[str, Tree[Span]]:
    """Trace id -> the tree of its spans."""
    by_trace: dict[str, list[Span]] = defaultdict(list)
    for span in spans:
        by_trace[span.trace_id].append(span)
    return {trace_id: build(members, _ids) for trace_id, members in by_trace.items()}


def _ids(span: Span) -> SpanIds:
    return SpanIds(span.span_id, span.parent_id, span.kind)


def describe(node: Node[Span]) -> str:
    """``svca.default in -> svca.default out``: a span and what it caused."""
    below = " + ".join(describe(child) for child in node.children)
    return f"{node.span.service}{_side(node.span.kind)}" + (f" -> {below}" if below else "")


def _side(kind: str) -> str:
    return {"CLIENT": " out", "SERVER": " in"}.get(kind, "")


def complete(
    name: str, trace_ids: Sequence[str], spans: Sequence[Span], chain: Sequence[Step]
) -> Verdict:
    """Every request has one trace that is exactly ``chain``, root first.

    ``trace_ids`` is one id per request, as the answer named it, empty where it named none. Fails
    for a request without a trace, a missing or surplus span, a wrong parent, an orphan, an id
    shared by two requests, and a trace of this run that belongs to no request.
    """
    by_id: dict[str, list[Tree[Span]]] = defaultdict(list)
    traces = trees(spans)
    for trace_id, tree in traces.items():
        by_id[plain_id(trace_id)].append(tree)
    requests = Counter(plain_id(trace_id) for trace_id in trace_ids)
    whole = 0
    reasons: list[str] = []
    for trace_id, count in requests.items():
        reason = _fault(by_id.get(trace_id, []), chain) if trace_id else "an answer names no trace"
        reason = reason or (f"{count} requests share a trace" if count > 1 else "")
        whole += not reason
        reasons += [reason] * (count if reason else 0)
    stray = [trace_id for trace_id in traces if plain_id(trace_id) not in requests]
    problems = [f"{n} x {reason}" for reason, n in Counter(reasons).most_common(5)]
    if stray:
        problems.append(f"{len(stray)} traces of this run belong to no request: {some(stray)}")
    text = " -> ".join(map(str, chain))
    return conclude(
        name,
        len(trace_ids),
        {
            "requests": len(trace_ids),
            "whole": whole,
            "traces": len(traces),
            "spans": len(spans),
            "orphans": sum(len(tree.orphans) for tree in traces.values()),
            "stray": len(stray),
        },
        problems,
        wanted=f"for every request one trace {text}",
        found=f"{whole} of {len(trace_ids)} whole, {len(stray)} stray traces",
        allowed="all whole, 0 stray",
        figures={"spans_per_request": len(spans) / max(1, len(trace_ids))},
    )


def _fault(traces: Sequence[Tree[Span]], chain: Sequence[Step]) -> str:
    """Why a request's trace is not the chain; empty where it is."""
    if not traces:
        return "no span was reported"
    if len(traces) > 1:
        return f"{len(traces)} traces have one id"
    if reason := top_fault(traces[0]):
        return reason
    level = list(traces[0].roots)
    for step in chain:
        if len(level) != 1 or not step.matches(level[0].span):
            actual = " + ".join(map(describe, level)) or "nothing"
            return f"wanted {step}, found {actual}"
        level = level[0].children
    return f"surplus: {describe(level[0])}" if level else ""


def top_fault(trace: Tree[Span]) -> str:
    """Why a trace has not one root and no orphan; empty where it has."""
    if trace.orphans:
        return f"orphan: {describe(trace.orphans[0])} (its parent was not reported)"
    if len(trace.roots) != 1:
        return f"{len(trace.roots)} roots: {some(list(map(describe, trace.roots)))}"
    return ""


def plain_id(trace_id: str) -> str:
    """An id without leading zeros: 64-bit ids are padded to 128 bits in some headers."""
    return trace_id.lower().lstrip("0")
