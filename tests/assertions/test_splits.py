"""What a split that got no answers says of them."""

from __future__ import annotations

from meshproof.assertions.splits import _describe
from meshproof.mesh import Answer


def test_a_refusal_of_the_mesh_is_told_with_its_reason() -> None:
    refused = Answer(502, (), b"", 0.1, "no rule opens http://back/ for front")
    assert _describe(refused) == (
        "502: no rule opens http://back/ for front (another port: url=, not path=)"
    )
    assert _describe(Answer(503, (), b" busy ", 0.1)) == "503 (busy)"
