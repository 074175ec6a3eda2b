"""Traces: from Zipkin's spans to rows."""

from __future__ import annotations

from typing import Any

from meshproof.telemetry.trace_rows import summary, waterfall


def span(ids: str, service: str, start: int, duration: int, **tags: str) -> dict[str, Any]:
    """``ids``: parent and id; ``who``: kind and service. Times in milliseconds."""
    parent, _, id_ = ids.rpartition(" ")
    kind, service = service.split()
    raw = {
        "traceId": "t",
        "id": id_,
        "kind": kind,
        "name": "svcb",
        "timestamp": 1_000_000_000 + start * 1000,
        "duration": duration * 1000,
        "localEndpoint": {"serviceName": service},
        "tags": tags,
    }
    return {**raw, "parentId": parent} if parent else raw


TRACE = [
    span("b c", "CLIENT svcb", 4, 3, **{"http.status_code": "502"}),
    span("a", "CLIENT gateway", 0, 10, **{"http.url": "http://h/pay?x=1", "http.method": "GET"}),
    span("a", "SERVER svca", 1, 8),
    span("a b", "CLIENT svca", 2, 6),
]


def test_rows_are_a_tree_in_order_of_time() -> None:
    rows = waterfall(TRACE)["rows"]
    result = [(r["depth"], r["service"], r["kind"], r["start"], r["milliseconds"]) for r in rows]
    assert result == [
        (0, "gateway", "CLIENT", 0, 10),
        (1, "svca", "SERVER", 1, 8),
        (2, "svca", "CLIENT", 2, 6),
        (3, "svcb", "CLIENT", 4, 3),
    ]


def test_a_span_says_method_and_path_where_it_knows_them() -> None:
    rows = waterfall(TRACE)["rows"]
    assert [rows[0]["name"], rows[1]["name"]] == ["GET /pay", "svcb"]


def test_a_summary_tells_length_members_and_failures() -> None:
    result = summary(TRACE)
    assert (result["id"], result["milliseconds"], result["spans"], result["failed"]) == (
        "t",
        10,
        4,
        1,
    )
    assert result["services"] == ["gateway", "svca", "svcb"]
    assert (result["service"], result["name"]) == ("gateway", "GET /pay")


def test_a_span_whose_parent_is_missing_is_a_root() -> None:
    rows = waterfall(TRACE[:1])["rows"]
    assert [(r["depth"], r["failed"]) for r in rows] == [(0, True)]


def test_spans_that_say_little_are_shown_all_the_same() -> None:
    (row,) = waterfall([{"traceId": "t", "id": "a"}])["rows"]
    assert (row["service"], row["name"], row["milliseconds"], row["failed"]) == (
        "unknown", "", 0, False,
    )  # fmt: skip
