"""Where a patch puts its value among others: before, after, first, last, instead of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from meshproof.model.envoy_filter import ConfigPatch

Fits = Callable[[Any], bool]


def rearrange(rows: Any, patch: ConfigPatch, value: Any, fits: Fits | None) -> bool:
    """Apply an operation other than MERGE to a repeated field; ``fits`` tells the element that the
    patch names, None if it names none. Returns whether it did anything.

    Istio: insertBeforeFunc, insertAfterFunc and replaceFunc take the first element that fits; an
    insertion beside none goes to the beginning or to the end.
    """
    items, operation = list(rows), patch.operation
    place = None if fits is None else next((i for i, x in enumerate(items) if fits(x)), None)
    if operation == "REMOVE":
        kept = [x for x in items if fits is None or not fits(x)]
        changed, items = fits is not None and len(kept) < len(items), kept
        if not changed:
            return False
    elif operation == "ADD" or (operation == "INSERT_AFTER" and fits is None):
        items.append(value)
    elif operation == "INSERT_FIRST" or (operation == "INSERT_BEFORE" and fits is None):
        items.insert(0, value)
    elif place is None:
        return False
    elif operation == "INSERT_BEFORE":
        items.insert(place, value)
    elif operation == "INSERT_AFTER":
        items.insert(place + 1, value)
    elif operation == "REPLACE":
        items[place] = value
    else:
        return False
    _assign(rows, items)
    return True


def _assign(rows: Any, items: list[Any]) -> None:
    copies = [type(x).FromString(x.SerializeToString()) for x in items]
    del rows[:]
    rows.extend(copies)
