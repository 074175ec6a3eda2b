"""A pure function's newest result, kept as long as its inputs are the very same objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Memo(Generic[T]):
    """One result. The inputs are kept too, so that their identities stay their own; a lost race
    between threads costs time only."""

    def __init__(self) -> None:
        self._latest: tuple[tuple[object, ...], T] | None = None

    def get(self, inputs: tuple[object, ...], build: Callable[[], T]) -> T:
        """The result for ``inputs``: the one that is kept, or what ``build`` returns now."""
        latest = self._latest
        if latest is None or not are_same(latest[0], inputs):
            latest = self._latest = (inputs, build())
        return latest[1]


def are_same(first: tuple[object, ...], second: tuple[object, ...]) -> bool:
    """Whether both have the same objects; equal ones are not enough."""
    return len(first) == len(second) and all(a is b for a, b in zip(first, second, strict=True))
