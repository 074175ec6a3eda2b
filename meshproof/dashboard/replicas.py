"""Workloads and replicas as a table: state, restarts, processor and memory of app and sidecar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Json = dict[str, Any]
Key = tuple[str, str]


def used(usage: Sequence[Json]) -> dict[Key, Json]:
    """``mesh.Usage`` by name and part."""
    return {(one["name"], one["part"]): one for one in usage}


def table(
    replicas: Sequence[Json], before: Mapping[Key, Json], now: Mapping[Key, Json], seconds: float
) -> list[Json]:
    """A row a replica, then the gateway and the hosts outside, as far as their use is known.

    ``before`` and ``now`` are ``used`` of two looks that are ``seconds`` apart.
    """
    rows = [_row(replica, before, now, seconds) for replica in replicas]
    known = {replica["name"] for replica in replicas}
    for name in sorted({name for name, _ in now} - known):
        kind = "gateway" if name == "gateway" else "outside"
        rows.append({"name": name, "workload": kind, "namespace": "", "version": "", "ready": True,
                     "reason": "", "restarts": None, "address": "",
                     **_parts(name, before, now, seconds)})  # fmt: skip
    return rows


def _row(
    replica: Json, before: Mapping[Key, Json], now: Mapping[Key, Json], seconds: float
) -> Json:
    same = ("name", "workload", "namespace", "ready", "reason", "restarts", "address")
    version = replica["labels"].get("version", "")
    parts = _parts(replica["name"], before, now, seconds)
    return {**{key: replica[key] for key in same}, "version": version, **parts}


def _parts(name: str, before: Mapping[Key, Json], now: Mapping[Key, Json], seconds: float) -> Json:
    """``cpu`` in percent of one core; None where it is not known (yet)."""
    found: Json = {}
    for part in ("app", "sidecar"):
        new, old = now.get((name, part)), before.get((name, part))
        cpu = None
        if new and old and seconds > 0 and new["cpu_seconds"] >= old["cpu_seconds"]:
            cpu = 100 * (new["cpu_seconds"] - old["cpu_seconds"]) / seconds
        found[part] = {"cpu": cpu, "memory": new["memory_bytes"]} if new else None
    return found
