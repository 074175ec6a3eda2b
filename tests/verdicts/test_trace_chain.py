"""Traces: the whole tree passes; a hole, an orphan, a stranger, a wrong parent do not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from meshproof.mesh import Span
from meshproof.verdicts.trace_chain import Step, complete, describe, trees

WANTED = (
    Step("gateway"),
    Step("svca", "SERVER"),
    Step("svca", "CLIENT"),
    Step("svcb", "SERVER"),
    Step("svcb", "CLIENT", to="msgd"),
)


def span(trace: str, own: str, parent: str, app: str, kind: str) -> Span:
    tags = {"upstream_cluster": "outbound|9997||msgd.test"} if own == "e" else {}
    return Span(trace, own, parent, kind, f"{app}.default", "", 0.0, 0.1, tags)


def chain(trace: str) -> list[Span]:
    """Every hop has a span id of its own."""
    return [
        span(trace, "a", "", "gateway", "CLIENT"),
        span(trace, "b", "a", "svca", "SERVER"),
        span(trace, "c", "b", "svca", "CLIENT"),
        span(trace, "d", "c", "svcb", "SERVER"),
        span(trace, "e", "d", "svcb", "CLIENT"),
    ]


def shared(trace: str) -> list[Span]:
    """Both sides of a hop share a span id, as with Envoy's shared_span_context."""
    return [
        span(trace, "a", "", "gateway", "CLIENT"),
        span(trace, "a", "", "svca", "SERVER"),
        span(trace, "c", "a", "svca", "CLIENT"),
        span(trace, "c", "a", "svcb", "SERVER"),
        span(trace, "e", "c", "svcb", "CLIENT"),
    ]


@pytest.mark.parametrize("make", [chain, shared])
def test_whole_traces_pass_in_any_order(make: object) -> None:
    assert callable(make)
    spans = [*reversed(make("t1")), *make("t2")]
    verdict = complete("traces", ["t1", "t2"], spans, WANTED).require()
    assert verdict.counts["whole"] == 2
    assert verdict.number("spans_per_request") == 5


def test_ids_may_be_padded() -> None:
    assert complete("traces", ["00000000000000ab"], chain("ab"), WANTED).passed


@pytest.mark.parametrize("make", [chain, shared])
@pytest.mark.parametrize("missing", range(5))
def test_any_missing_span_fails(make: object, missing: int) -> None:
    assert callable(make)
    spans = make("t1")
    del spans[missing]
    assert not complete("traces", ["t1"], spans, WANTED).passed


@pytest.mark.parametrize(
    ("spans", "ids", "why"),
    [
        ([], [], "no evidence"),
        ([], ["t1"], "no span was reported"),
        (chain("t1"), ["t1", "t2"], "no span was reported"),
        (chain("t1"), [""], "an answer names no trace"),
        (chain("t1") + chain("t9"), ["t1"], "1 traces of this run belong to no request: t9"),
        (chain("t1"), ["t1", "t1"], "2 requests share a trace"),
        ([*chain("t1"), span("t1", "f", "e", "x", "SERVER")], ["t1"], "surplus: x.default in"),
        ([*chain("t1"), span("t1", "f", "a", "x", "SERVER")], ["t1"], "wanted svca in, found"),
        ([*chain("t1"), span("t1", "f", "", "x", "SERVER")], ["t1"], "2 roots"),
        (chain("t1")[1:], ["t1"], "orphan: svca.default in"),
    ],
)
def test_what_must_not_pass(spans: list[Span], ids: list[str], why: str) -> None:
    assert why in complete("traces", ids, spans, WANTED).sentence


def test_a_wrong_parent_fails() -> None:
    spans = chain("t1")
    spans[3] = replace(spans[3], parent_id="a")
    assert not complete("traces", ["t1"], spans, WANTED).passed


def test_an_egress_to_somewhere_else_fails() -> None:
    spans = chain("t1")
    spans[4] = replace(spans[4], tags={"upstream_cluster": "outbound|80||elsewhere"})
    verdict = complete("traces", ["t1"], spans, WANTED)
    assert "wanted svcb out (to msgd), found svcb.default out" in verdict.sentence


def test_a_service_that_does_not_forward_headers_fails() -> None:
    """What FORWARD_TRACE_HEADERS=off does: the trace ends at svca, and others begin."""
    spans = [*chain("t1")[:2], *(replace(s, trace_id="t2") for s in chain("t1")[2:])]
    spans[2] = replace(spans[2], parent_id="")
    verdict = complete("traces", ["t1"], spans, WANTED)
    assert "wanted svca out, found nothing" in verdict.sentence
    assert "1 traces of this run belong to no request: t2" in verdict.sentence


def test_trees_keep_orphans_apart() -> None:
    trace = trees(chain("t1")[1:])["t1"]
    assert not trace.roots
    assert [describe(node) for node in trace.orphans] == [
        "svca.default in -> svca.default out -> svcb.default in -> svcb.default out"
    ]


def test_spans_in_a_circle_beside_a_whole_chain_are_not_overlooked() -> None:
    circle = [span("t1", "x", "y", "svcb", "CLIENT"), span("t1", "y", "x", "svcb", "SERVER")]
    assert "2 roots" in complete("traces", ["t1"], [*chain("t1"), *circle], WANTED).sentence
