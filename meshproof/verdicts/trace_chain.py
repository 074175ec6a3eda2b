"""Is there one whole trace for every request? Spans to trees, trees to a verdict.

Envoy's Zipkin tracer may let the two sides of a hop share one span id (``shared_span_context``);
then the SERVER side is a child of the CLIENT side of the same id.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from meshproof.mesh import Span
from meshproof.verdicts.verdict import Verdict, conclude, some


@dataclass(frozen=True, slots=True)
class Step:
    """One wanted span: which app's sidecar, on which side, and where it was going."""

    app: str
    """``svca`` for the Envoy cluster ``svca.default``."""
    kind: str = ""
    """CLIENT or SERVER; empty for either."""
    to: str = ""
    """A text that some tag of the span must contain, such as the host of an egress."""

    def matches(self, span: Span) -> bool:
        return (
            span.service.split(".")[0] == self.app
            and self.kind in ("", span.kind)
            and (not self.to or any(self.to in value for value in span.tags.values()))
        )

    def __str__(self) -> str:
        side = {"CLIENT": " out", "SERVER": " in"}.get(self.kind, "")
        return f"{self.app}{side}" + (f" (to {self.to})" if self.to else "")


@dataclass(slots=True)
class Node:
    """A span with the spans that name it as their parent."""

    span: Span
    children: list[Node] = field(default_factory=list)

    def __str__(self) -> str:
        side = {"CLIENT": " out", "SERVER": " in"}.get(self.span.kind, "")
        below = " + ".join(str(child) for child in self.children)
        return f"{self.span.service}{side}" + (f" -> {below}" if below else "")


@dataclass(frozen=True, slots=True)
class Trace:
    """The spans of one trace id: its roots, and spans whose parent nobody reported."""

    trace_id: str
    roots: tuple[Node, ...]
    orphans: tuple[Node, ...]


def trees(spans: Sequence[Span]) -> dict[str, Trace]:
    """Trace id -> its trees."""
    by_trace: dict[str, list[Span]] = defaultdict(list)
    for span in spans:
        by_trace[span.trace_id].append(span)
    return {trace_id: _tree(trace_id, members) for trace_id, members in by_trace.items()}


def complete(
    name: str, trace_ids: Sequence[str], spans: Sequence[Span], wanted: Sequence[Step]
) -> Verdict:
    """Every request has one trace that is exactly the chain ``wanted``, root first.

    ``trace_ids`` is one id a request, as the answer told it, empty where it told none. Fails for
    a request without a trace, a missing or surplus span, a wrong parent, an orphan, an id shared
    by two requests, and a trace of this run that belongs to no request.
    """
    found = trees(spans)
    requests = Counter(plain_id(trace_id) for trace_id in trace_ids)
    by_id: dict[str, list[Trace]] = defaultdict(list)
    for trace in found.values():
        by_id[plain_id(trace.trace_id)].append(trace)
    reasons: list[str] = []
    whole = 0
    for trace_id, count in requests.items():
        why = _fault(by_id.get(trace_id, []), wanted) if trace_id else "an answer names no trace"
        why = why or (f"{count} requests share a trace" if count > 1 else "")
        whole += not why
        reasons += [why] * (count if why else 0)
    stray = [str(t.trace_id) for key, ts in by_id.items() if key not in requests for t in ts]
    problems = [f"{n} x {why}" for why, n in Counter(reasons).most_common(5)]
    if stray:
        problems.append(f"{len(stray)} traces of this run belong to no request: {some(stray)}")
    chain = " -> ".join(str(step) for step in wanted)
    return conclude(
        name,
        len(trace_ids),
        {
            "requests": len(trace_ids),
            "whole": whole,
            "traces": len(found),
            "spans": len(spans),
            "orphans": sum(len(t.orphans) for t in found.values()),
            "stray": len(stray),
        },
        problems,
        wanted=f"for every request one trace {chain}",
        found=f"{whole} of {len(trace_ids)} whole, {len(stray)} stray traces",
        allowed="all whole, 0 stray",
        figures={"spans_per_request": len(spans) / max(1, len(trace_ids))},
    )


def _tree(trace_id: str, spans: Sequence[Span]) -> Trace:
    nodes = [Node(span) for span in spans]
    sides: Mapping[str, list[Node]] = _by_id(nodes)
    roots, orphans = [], []
    for node in nodes:
        parent = _parent(node, sides)
        if parent is not None:
            parent.children.append(node)
        elif node.span.parent_id:
            orphans.append(node)
        else:
            roots.append(node)
    return Trace(trace_id, tuple(roots), tuple(orphans))


def _by_id(nodes: Sequence[Node]) -> dict[str, list[Node]]:
    sides: dict[str, list[Node]] = defaultdict(list)
    for node in nodes:
        sides[node.span.span_id].append(node)
    return sides


def _parent(node: Node, sides: Mapping[str, list[Node]]) -> Node | None:
    span = node.span
    if span.kind == "SERVER":  # the other side of a shared span id comes first
        for other in sides[span.span_id]:
            if other is not node and other.span.kind == "CLIENT":
                return other
    candidates = [n for n in sides.get(span.parent_id, []) if n is not node]
    servers = [n for n in candidates if n.span.kind == "SERVER"]
    return next(iter(servers or candidates), None)


def _fault(traces: Sequence[Trace], wanted: Sequence[Step]) -> str:
    """Why a request's trace is not the chain; empty when it is."""
    if not traces:
        return "no span was reported"
    if len(traces) > 1:
        return f"{len(traces)} traces have one id"
    trace = traces[0]
    if trace.orphans:
        return f"orphan: {trace.orphans[0]} (its parent was not reported)"
    if len(trace.roots) != 1:
        return f"{len(trace.roots)} roots: {some([str(r) for r in trace.roots])}"
    level = list(trace.roots)
    for step in wanted:
        if len(level) != 1 or not step.matches(level[0].span):
            where = " + ".join(str(node) for node in level) or "nothing"
            return f"wanted {step}, found {where}"
        level = level[0].children
    return f"surplus: {level[0]}" if level else ""


def plain_id(trace_id: str) -> str:
    """Ids without leading zeros: 64-bit ids are padded to 128 bits by some headers."""
    return trace_id.lower().lstrip("0")
