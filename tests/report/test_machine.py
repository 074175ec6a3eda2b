"""An overloaded machine is named with its figures."""

from __future__ import annotations

from meshproof.report.machine import describe_overload


def test_only_a_machine_with_more_work_than_it_can_do_is_overloaded() -> None:
    assert not describe_overload(3.9, 2)
    assert "overloaded: 4.0 processes ran or waited for 2 cores" in describe_overload(4.0, 2)
    assert not describe_overload(14.1, 16)
