"""Columns and rows of small graphs, cycles included."""

from __future__ import annotations

from meshproof.telemetry.graph_layout import columns, rows


def test_a_cycle_ends() -> None:
    result = columns(["g", "a", "b"], [("g", "a"), ("a", "b"), ("b", "a")], first="g", last=[])
    assert result == {"g": 0, "a": 1, "b": 2}


def test_a_cycle_that_nobody_enters_is_placed_too() -> None:
    result = columns(["g", "a", "b"], [("a", "b"), ("b", "a")], first="g", last=[])
    assert result["g"] == 0
    assert {result["a"], result["b"]} == {1, 2}


def test_a_caller_that_nobody_calls_stands_beside_the_first_called() -> None:
    links = [("g", "a"), ("cron", "b"), ("a", "b")]
    result = columns(["g", "a", "b", "cron"], links, first="g", last=[])
    assert (result["a"], result["cron"]) == (1, 1)
    assert result["b"] == 2


def test_hosts_outside_stand_behind_all() -> None:
    result = columns(["g", "a", "o"], [("g", "a"), ("g", "o")], first="g", last=["o"])
    assert result == {"g": 0, "a": 1, "o": 2}


def test_rows_are_in_the_order_of_their_callers() -> None:
    column = {"a": 0, "b": 0, "x": 1, "y": 1}
    assert rows(column, [("a", "y"), ("b", "x")]) == {"a": 0, "b": 1, "y": 0, "x": 1}
    assert rows(column, []) == {"a": 0, "b": 1, "x": 0, "y": 1}


def test_many_nodes_have_each_a_place_of_their_own() -> None:
    names = [f"n{i}" for i in range(60)]
    links = [(a, b) for i, a in enumerate(names) for b in names[i + 1 : i + 4]]
    column = columns(names, links, first="n0", last=["n59"])
    row = rows(column, links)
    assert len({(column[n], row[n]) for n in names}) == 60
