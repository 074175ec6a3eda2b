"""Whether the machine was overloaded when a proof failed."""

from __future__ import annotations

import os

SECTION = "machine"
"""The section of pytest's report that says so."""
_OVERLOAD = 2.0
"""Processes that run or wait, for each core. Then a proof's own clients and services are late by
whole time slices, and reach their timeouts whatever the mesh does."""


def describe_overload(load: float, cores: int) -> str:
    """Empty for a machine that is not. ``load`` is the load average of the last minute."""
    if load < _OVERLOAD * cores:
        return ""
    return (
        f"this machine was overloaded: {load:.1f} processes ran or waited for {cores} cores, on "
        "average over the last minute. Timeouts, latencies and shares of a slow replica may be the "
        "machine's and not the mesh's; run the proof again when it is quiet"
    )


def current_overload() -> str:
    return describe_overload(os.getloadavg()[0], os.cpu_count() or 1)
