"""The kinds of network faults, and their parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshproof.errors import UsageError
from meshproof.host.tcp_fault_proxy import Impairment

KINDS = ("latency", "loss", "refuse", "cut", "partition")
"""A partition is a cut in both directions."""


def parse_impairment(kind: str, parameters: Mapping[str, Any]) -> Impairment:
    """``latency`` takes ``ms``, ``loss`` takes ``percent``; the others take no parameter.

    Raises UsageError for other parameters, and for values that are not in range.
    """
    name = {"latency": "ms", "loss": "percent"}.get(kind)
    if other := sorted(set(parameters) - {name}):
        raise UsageError(f"fault {kind}: {', '.join(other)}: wanted {name or 'no number'}")
    if name is None:
        return Impairment(passes=kind == "refuse", refuses=kind == "refuse")
    number, limit = parameters.get(name), 60_000 if kind == "latency" else 99
    if not isinstance(number, int | float) or isinstance(number, bool) or not 0 < number <= limit:
        raise UsageError(f"fault {kind}: {name}={number!r}: wanted more than 0, at most {limit}")
    return Impairment(delay=number / 1000) if kind == "latency" else Impairment(loss=number / 100)
