"""``spans``: traces as trees."""

from __future__ import annotations

import json
from typing import Any

import pytest

from meshproof.cli.commands.spans import by_trace, tree
from meshproof.mesh import Span
from tests.fakes.mesh import FakeMesh

Cli = Any


def raw(span_id: str, parent_id: str = "", trace_id: str = "t", start: float = 1.0) -> Any:
    return {"span_id": span_id, "parent_id": parent_id, "trace_id": trace_id, "start": start}


def shape(trace: list[Any]) -> list[tuple[int, str]]:
    return [(depth, span["span_id"]) for depth, span in tree(trace)]


def test_a_span_is_beneath_its_parent_in_the_order_of_beginning() -> None:
    spans = [
        raw("late", "root", start=4),
        raw("leaf", "early", start=3),
        raw("early", "root", start=2),
        raw("root", start=1),
    ]
    (trace,) = by_trace(spans)
    assert shape(trace) == [(0, "root"), (1, "early"), (2, "leaf"), (1, "late")]


def test_a_span_whose_parent_is_missing_is_shown_too() -> None:
    assert shape([raw("a", "lost"), raw("b", "a")]) == [(0, "a"), (1, "b")]


def test_traces_are_apart() -> None:
    result = by_trace([raw("b", trace_id="2", start=2), raw("a", trace_id="1", start=1)])
    assert [[s["span_id"] for s in trace] for trace in result] == [["a"], ["b"]]


def test_spans_are_a_table_a_trace(
    fake: FakeMesh, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    tags = {"http.status_code": "502"}
    spans = [
        Span("t1", "b", "a", "SERVER", "svcb.pay", "svcb:80/*", 1.5015, 0.25, tags),
        Span("t1", "a", "", "CLIENT", "svca.pay", "svcb:80/*", 1.5, 0.5, {}),
        Span("t2", "c", "", "CLIENT", "svca.pay", "svcb:80/*", 2.5, 0.5, {}),
    ]
    monkeypatch.setattr(fake, "spans", lambda run_id: spans if run_id == "mine" else [])
    done = cli("spans", "mine")
    lines = [line.split() for line in done.out.splitlines()]
    assert (done.code, done.err) == (0, "")
    assert lines[:4] == [
        ["trace", "t1"],
        ["SERVICE", "KIND", "NAME", "START", "DURATION", "STATUS"],
        ["svca.pay", "CLIENT", "svcb:80/*", "0.0", "ms", "500.0", "ms", "-"],
        ["svcb.pay", "SERVER", "svcb:80/*", "1.5", "ms", "250.0", "ms", "502"],
    ]
    assert done.out.splitlines()[3].startswith("  svcb.pay")
    assert lines[4:6] == [[], ["trace", "t2"]]
    assert json.loads(cli("spans", "mine", "-o", "json").out)[0]["tags"] == tags


def test_no_spans_is_told(fake: FakeMesh, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fake, "spans", lambda run_id: [])
    done = cli("spans", "nobody")
    assert (done.code, done.out, done.err) == (1, "", "no span has x-run-id nobody\n")
