"""Which answers count as old: each case is a timeline written by hand."""

from __future__ import annotations

import pytest

from bench.client import Seen
from bench.rules import Switch, old_answers

SWITCHES = [Switch(10.0, 10.1, "v0.2"), Switch(11.0, 11.1, "v0.1")]


def seen(*rows: tuple[float, float, str]) -> Seen:
    """Rows: when sent, when answered, version."""
    return Seen(
        sent=[r[0] for r in rows],
        took=[r[1] - r[0] for r in rows],
        status=[200] * len(rows),
        good=[True] * len(rows),
        mark=[r[2] for r in rows],
    )


def test_the_last_old_answer_counts_from_the_start_of_apply() -> None:
    last, stale = old_answers(
        SWITCHES, seen((9.9, 10.02, "v0.1"), (10.03, 10.06, "v0.1"), (10.2, 10.3, "v0.2"))
    )
    assert last == pytest.approx([0.06, 0.0])
    assert stale == 0


def test_before_the_first_switch_nothing_is_old() -> None:
    assert old_answers(SWITCHES, seen((9.0, 9.5, "v0.1"))) == ([0.0, 0.0], 0)


def test_an_old_answer_to_a_request_after_apply_returned_is_stale() -> None:
    last, stale = old_answers(SWITCHES, seen((10.5, 10.6, "v0.1"), (11.2, 11.3, "v0.2")))
    assert last == pytest.approx([0.6, 0.3])
    assert stale == 2


def test_a_late_answer_to_a_request_sent_before_is_old_and_not_stale() -> None:
    last, stale = old_answers(SWITCHES, seen((10.05, 10.4, "v0.1")))
    assert last == pytest.approx([0.4, 0.0])
    assert stale == 0


def test_on_its_way_across_two_switches_it_belongs_to_the_later() -> None:
    last, stale = old_answers(SWITCHES, seen((10.9, 11.05, "v0.2"), (10.9, 11.05, "v0.1")))
    assert last == pytest.approx([0.0, 0.05])
    assert stale == 0


def test_an_answer_without_a_version_is_no_evidence() -> None:
    assert old_answers(SWITCHES, seen((10.5, 10.6, ""))) == ([0.0, 0.0], 0)
