"""Users that processes of a mesh may have."""

from __future__ import annotations

import os

import pytest

from meshproof.host.users import may_run_as


def test_a_mesh_has_its_own_user_and_none_that_the_machine_does_not_know() -> None:
    assert may_run_as(os.geteuid())
    assert not may_run_as(2_000_111_222)


@pytest.mark.parametrize(("caller", "expected"), [(0, True), (4321, False)])
def test_only_root_becomes_another(
    monkeypatch: pytest.MonkeyPatch, caller: int, *, expected: bool
) -> None:
    monkeypatch.setattr("meshproof.host.users.os.geteuid", lambda: caller)
    monkeypatch.setattr("meshproof.host.users.pwd.getpwuid", lambda user: user)
    assert may_run_as(1234) is expected
