"""Admitted and refused: the caller's word and the server's log must agree."""

from __future__ import annotations

import pytest

from meshproof.mesh import AccessRecord, Answer
from meshproof.verdicts.access import admitted, refused


def answers(*statuses: int) -> list[Answer]:
    return [Answer(status, (), b"", 0.01) for status in statuses]


def log(*hosts: str, direction: str = "inbound") -> list[AccessRecord]:
    return [
        AccessRecord("svcb-1", direction, "", "GET", "/", "svcb", 200, "-", "", 1, "", host,
                     "default", "", "", "r")
        for host in hosts
    ]  # fmt: skip


def test_admitted() -> None:
    assert admitted("a", answers(200, 200), log("app", "app")).passed


@pytest.mark.parametrize(
    ("statuses", "hosts"),
    [([], []), ([200], []), ([200, 403], ["app", ""]), ([200, 200], ["app", ""]), ([403], [""])],
)
def test_not_admitted(statuses: list[int], hosts: list[str]) -> None:
    assert not admitted("a", answers(*statuses), log(*hosts)).passed


def test_refused() -> None:
    assert refused("r", answers(403, 403), log("", "-"), status=403).passed
    assert refused("r", answers(503), log("x", direction="outbound"), status=503).passed


@pytest.mark.parametrize(
    ("statuses", "hosts"),
    [([], []), ([403], []), ([403, 200], ["", "app"]), ([403], ["app"]), ([503], [""])],
)
def test_not_refused(statuses: list[int], hosts: list[str]) -> None:
    assert not refused("r", answers(*statuses), log(*hosts), status=403).passed
