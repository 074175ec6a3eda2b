"""Traces by who called whom."""

from __future__ import annotations

from typing import Any

import pytest

from meshproof.mesh import Span
from meshproof.verdicts.call_graph import calls_match

WANTED = [("gateway", "front"), ("front", "back"), ("back", "msgd.test")]


def span(i: str, parent: str, kind: str, app: str, trace: str = "t", **tags: str) -> Span:
    return Span(trace, i, parent, kind, f"{app}.d", "", 0.0, 0.1, tags)


def one(trace: str = "t") -> list[Span]:
    out = {"upstream_cluster": "outbound|80||msgd.test"}
    return [
        span("1", "", "CLIENT", "istio-ingressgateway", trace),
        span("2", "1", "SERVER", "front", trace),
        span("3", "2", "CLIENT", "front", trace),
        span("4", "3", "SERVER", "back", trace),
        span("5", "4", "CLIENT", "back", trace, **out),
    ]


def test_one_whole_trace_a_request() -> None:
    assert calls_match("t", 2, [*one("a"), *one("b")], WANTED).passed
    named = [("gateway", "front.d"), ("front.d", "back.d"), ("back.d", "msgd.test")]
    assert calls_match("t", 1, one(), named).passed


def test_a_host_outside_by_the_name_in_its_url() -> None:
    spans = one()[:-1]
    tags = {"upstream_cluster": "outbound|80||alias.test", "http.url": "http://10.0.0.1:99/send"}
    spans.append(span("5", "4", "CLIENT", "back", **tags))
    assert calls_match("t", 1, spans, [*WANTED[:2], ("back", "10.0.0.1")]).passed
    assert calls_match("t", 1, spans, [*WANTED[:2], ("back", "alias.test")]).passed


@pytest.mark.parametrize(
    ("spans", "why"),
    [
        ([], "no evidence"),
        (one()[:-1], "no call back -> msgd.test"),
        (one()[1:], "orphan"),
        ([*one(), span("9", "", "CLIENT", "front")], "2 roots"),
        (one("a") + one("b"), "1 requests left 2 traces"),
        ([*one(), span("6", "4", "CLIENT", "back", upstream_cluster="outbound|80||x.test")],
         "surplus back -> x.test"),
        ([*one(), span("6", "4", "CLIENT", "back")], "surplus back -> nowhere (refused)"),
        (one()[:3], "no call front -> back"),
    ],
)  # fmt: skip
def test_what_is_not_whole(spans: list[Span], why: str) -> None:
    verdict: Any = calls_match("t", 1, spans, WANTED)
    assert not verdict.passed
    assert why in "; ".join(verdict.problems)


def test_a_call_whose_server_has_no_span_is_no_call() -> None:
    tags = {"upstream_cluster": "outbound|80||back.d.svc.cluster.local"}
    spans = [*one()[:2], span("3", "2", "CLIENT", "front", **tags)]
    verdict = calls_match("t", 1, spans, WANTED[:2])
    assert "surplus front -> back.d.svc.cluster.local (which has no span" in verdict.problems[0]
