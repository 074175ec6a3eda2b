"""How a text is refused: each problem as its one line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.errors import Refused
from meshproof.model.reader import read_text

Refusal = Callable[..., list[str]]


@pytest.fixture
def refusal() -> Refusal:
    def lines(text: str, file: str = "f.yaml", *, namespace: str = "") -> list[str]:
        with pytest.raises(Refused) as caught:
            read_text(text, file, namespace=namespace)
        return [str(problem) for problem in caught.value.problems]

    return lines
