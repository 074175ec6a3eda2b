"""Which span is beneath which, whatever was sent."""

from __future__ import annotations

from typing import Any

from meshproof.telemetry.span_tree import tree


def span(own: str, parent: str = "", kind: str = "CLIENT", at: int = 1) -> dict[str, Any]:
    return {"id": own, "parentId": parent, "kind": kind, "timestamp": at}


def draw(*spans: dict[str, Any]) -> list[tuple[int, str, str]]:
    return [(depth, result["id"], result["kind"]) for depth, result in tree(spans)]


def test_what_a_server_caused_is_beneath_it_where_it_shares_its_clients_id() -> None:
    spans = span("b", "a", at=3), span("a", kind="SERVER", at=2), span("a", at=2)
    assert draw(*spans) == [(0, "a", "CLIENT"), (1, "a", "SERVER"), (2, "b", "CLIENT")]


def test_siblings_are_in_order_of_time() -> None:
    spans = span("c", "a", at=9), span("b", "a", at=5), span("a"), span("d", "b", at=6)
    assert [own for _, own, _ in draw(*spans)] == ["a", "b", "d", "c"]


def test_spans_in_a_circle_are_each_shown_once() -> None:
    spans = span("a", "b"), span("b", "a"), span("c", "c"), span("d", "gone")
    assert sorted(draw(*spans)) == [
        (0, "a", "CLIENT"), (0, "c", "CLIENT"), (0, "d", "CLIENT"), (1, "b", "CLIENT"),
    ]  # fmt: skip


def test_a_chain_of_any_length_is_drawn() -> None:
    chain = [span(str(n), str(n - 1) if n else "") for n in range(5000)]
    assert [depth for depth, _ in tree(chain)] == list(range(5000))
