"""PeerAuthentications that are refused."""

from __future__ import annotations

from tests.model.security import refusal


def test_ports_need_a_selector() -> None:
    problem = refusal("PeerAuthentication", "{portLevelMtls: {8080: {mode: STRICT}}}")
    assert problem.startswith("spec.portLevelMtls: is set, and there is no selector")
