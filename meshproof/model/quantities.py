"""Quantities of Kubernetes. Pure."""

from __future__ import annotations

import re
from typing import Any

_QUANTITY = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(m|k|)")
_SCALE = {"m": 1e-3, "": 1.0, "k": 1e3}


def parse_quantity(value: Any) -> float:
    """A Kubernetes quantity such as ``250m``, ``2`` or ``1.5``; raises ValueError for others.

    Units of memory are refused: no metric here is in bytes.
    """
    if isinstance(value, float):  # parsed before: models are validated again when copied
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    match = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{value!r} is not a quantity; wanted a number such as 250m or 2")
    return float(match[1]) * _SCALE[match[2]]
