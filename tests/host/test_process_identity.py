"""Run ids: whether the process that made one still lives."""

from __future__ import annotations

from meshproof.host import process_identity
from tests.fakes.processes import dead_run_id


def test_owner_of_a_run_id() -> None:
    assert process_identity.owner_alive(process_identity.new_run_id()) is True
    assert process_identity.owner_alive(dead_run_id()) is False
    assert process_identity.owner_alive("0123abcd") is None
