"""Keeps the objects of the last world where those of a new one are equal to them.

A world is built anew for every change. What did not change is then the same object as before, so
that whatever is derived from it can be reused by identity, without a deep comparison. Pure.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from meshproof.translate.world import World

_FIELDS = tuple(field.name for field in fields(World))


class WorldReuse:
    """Remembers the last world."""

    def __init__(self) -> None:
        self._last: World | None = None

    def of(self, world: World) -> World:
        """An equal world, with the objects of the last one as far as they are equal."""
        last, self._last = self._last, world
        if last is not None:
            parts = {n: _reuse(getattr(last, n), getattr(world, n)) for n in _FIELDS}
            self._last = replace(world, **parts)
        return self._last


def _reuse(old: Any, new: Any) -> Any:
    if old == new:
        return old
    if isinstance(old, tuple) and isinstance(new, tuple):
        by_name = {_identify(item): item for item in old}
        return tuple(_reuse_item(by_name.get(_identify(item)), item) for item in new)
    return new


def _reuse_item(old: Any, new: Any) -> Any:
    return old if old == new else new


def _identify(item: Any) -> tuple[object, object]:
    """Of one world no two items of a field have the same, but for hosts of several ports."""
    return getattr(item, "namespace", ""), getattr(item, "name", getattr(item, "host", ""))
