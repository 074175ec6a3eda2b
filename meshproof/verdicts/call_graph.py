"""Has every request one whole trace of these calls? Told by who called whom, for any app. Pure."""

from __future__ import annotations

import urllib.parse
from collections import Counter
from collections.abc import Iterator, Sequence

from meshproof.istio_names import INGRESS_GATEWAY, ClusterName, is_service_host
from meshproof.mesh import Span
from meshproof.verdicts.trace_chain import Node, Trace, trees
from meshproof.verdicts.verdict import Verdict, conclude, some

Edge = tuple[str, str]
"""Caller and called: workloads' apps, ``gateway``, or a host outside."""


def called(name: str, requests: int, spans: Sequence[Span], wanted: Sequence[Edge]) -> Verdict:
    """Each of ``requests`` has one trace: one root, no orphan, and just the calls ``wanted``.

    A call made twice is named twice. The app of a span is its Envoy's: ``svca`` or ``svca.shop``.
    """
    found = trees(spans)
    faults = [why for trace in found.values() if (why := _fault(trace, wanted))]
    problems = [f"{n} x {why}" for why, n in Counter(faults).most_common(5)]
    if len(found) != requests:
        problems.append(f"{requests} requests left {len(found)} traces")
    chain = ", ".join(f"{a} -> {b}" for a, b in wanted)
    whole = len(found) - len(faults)
    return conclude(
        name,
        requests if spans else 0,
        {"requests": requests, "traces": len(found), "whole": whole, "spans": len(spans)},
        problems,
        wanted=f"for every request one trace of {chain}",
        found=f"{whole} of {requests} whole, {len(found)} traces",
        allowed="all whole, no other",
    )


def _fault(trace: Trace, wanted: Sequence[Edge]) -> str:
    """Why a trace is not as wanted; empty where it is."""
    if trace.orphans:
        return f"orphan: {trace.orphans[0]} (its parent was not reported)"
    if len(trace.roots) != 1:
        return f"{len(trace.roots)} roots: {some([str(root) for root in trace.roots])}"
    named = {name for edge in wanted for name in edge}
    found = Counter(_edges(trace.roots[0], named))
    missing, surplus = Counter(wanted) - found, found - Counter(wanted)
    words = [f"no call {a} -> {b}" for a, b in missing] + [
        f"surplus {a} -> {b}" for a, b in surplus
    ]
    return "; ".join(words)


def _edges(node: Node, named: set[str]) -> Iterator[Edge]:
    own = _app(node.span, named)
    for child in node.children:
        if child.span.kind == "SERVER":
            yield own, _app(child.span, named)
        yield from _edges(child, named)
    if node.span.kind == "CLIENT" and not node.children:
        yield own, _left_for(node.span, named)


def _app(span: Span, named: set[str]) -> str:
    """As ``wanted`` names it, where it does: with its namespace or without."""
    app = span.service.partition(".")[0]
    if app == INGRESS_GATEWAY:
        return "gateway"
    return span.service if span.service in named else app


def _left_for(span: Span, named: set[str]) -> str:
    """Where a call without a span on the other side went: a host outside, as the cluster or the
    URL names it, or one of the mesh whose sidecar never saw it."""
    cluster = ClusterName.parse(span.tags.get("upstream_cluster", ""))
    host = cluster.host if cluster else "nowhere (refused)"
    asked = urllib.parse.urlsplit(span.tags.get("http.url", "")).hostname or ""
    if host not in named and asked in named and not is_service_host(host):
        return asked
    return f"{host} (which has no span of it)" if is_service_host(host) else host
