"""Has every request one whole trace of exactly these calls? Judged by who called whom. Pure."""

from __future__ import annotations

import urllib.parse
from collections import Counter
from collections.abc import Iterator, Sequence

from meshproof.istio_names import INGRESS_GATEWAY, ClusterName, is_service_host
from meshproof.mesh import Span
from meshproof.telemetry.span_tree import Node, Tree
from meshproof.verdicts.trace_chain import top_fault, trees
from meshproof.verdicts.verdict import Verdict, conclude

Edge = tuple[str, str]
"""Caller and callee: workloads' apps, ``gateway``, or a host outside."""


def calls_match(
    name: str, requests: int, spans: Sequence[Span], expected: Sequence[Edge]
) -> Verdict:
    """Each of ``requests`` has one trace: one root, no orphan, and exactly the calls ``expected``.

    A call made twice is named twice. The app of a span is its Envoy's: ``web`` or ``web.shop``.
    """
    traces = trees(spans)
    faults = [reason for trace in traces.values() if (reason := _fault(trace, expected))]
    problems = [f"{n} x {reason}" for reason, n in Counter(faults).most_common(5)]
    if len(traces) != requests:
        problems.append(f"{requests} requests left {len(traces)} traces")
    chain = ", ".join(f"{a} -> {b}" for a, b in expected)
    whole = len(traces) - len(faults)
    return conclude(
        name,
        requests if spans else 0,
        {"requests": requests, "traces": len(traces), "whole": whole, "spans": len(spans)},
        problems,
        wanted=f"for every request one trace of {chain}",
        found=f"{whole} of {requests} whole, {len(traces)} traces",
        allowed="all whole, no other",
    )


def _fault(trace: Tree[Span], expected: Sequence[Edge]) -> str:
    """Why a trace is not as expected; empty where it is."""
    if reason := top_fault(trace):
        return reason
    names = {name for edge in expected for name in edge}
    actual = Counter(_edges(trace.roots[0], names))
    missing, surplus = Counter(expected) - actual, actual - Counter(expected)
    faults = [f"no call {a} -> {b}" for a, b in missing]
    faults += [f"surplus {a} -> {b}" for a, b in surplus]
    return "; ".join(faults)


def _edges(node: Node[Span], names: set[str]) -> Iterator[Edge]:
    caller = _app(node.span, names)
    for child in node.children:
        if child.span.kind == "SERVER":
            yield caller, _app(child.span, names)
        yield from _edges(child, names)
    if node.span.kind == "CLIENT" and not node.children:
        yield caller, _destination(node.span, names)


def _app(span: Span, names: set[str]) -> str:
    """The app of a span, with its namespace where ``names`` has it so."""
    app = span.service.partition(".")[0]
    if app == INGRESS_GATEWAY:
        return "gateway"
    return span.service if span.service in names else app


def _destination(span: Span, names: set[str]) -> str:
    """Where a call without a span on the other side went: a host outside, as the cluster or the
    URL names it, or a service of the mesh whose sidecar never saw the call."""
    cluster = ClusterName.parse(span.tags.get("upstream_cluster", ""))
    host = cluster.host if cluster else "nowhere (refused)"
    url_host = urllib.parse.urlsplit(span.tags.get("http.url", "")).hostname or ""
    if host not in names and url_host in names and not is_service_host(host):
        return url_host
    return f"{host} (which has no span of it)" if is_service_host(host) else host
