"""The table of replicas: state, restarts, processor time and memory of app and sidecar. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Json = dict[str, Any]
Key = tuple[str, str]


def by_process(usage: Sequence[Json]) -> dict[Key, Json]:
    """``mesh.Usage`` by name and part."""
    return {(one["name"], one["part"]): one for one in usage}


def build_table(
    replicas: Sequence[Json], before: Mapping[Key, Json], now: Mapping[Key, Json], seconds: float
) -> list[Json]:
    """A row for each replica, then for the gateway and the outside hosts whose usage is known.

    ``before`` and ``now`` are ``by_process`` of two readings that are ``seconds`` apart.
    """
    rows = [_row(replica, before, now, seconds) for replica in replicas]
    names = {replica["name"] for replica in replicas}
    for name in sorted({name for name, _ in now} - names):
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
    """``cpu`` is in percent of one core; None if it is not known (yet)."""
    usage: Json = {}
    for part in ("app", "sidecar"):
        new, old = now.get((name, part)), before.get((name, part))
        cpu = None
        if new and old and seconds > 0 and new["cpu_seconds"] >= old["cpu_seconds"]:
            cpu = 100 * (new["cpu_seconds"] - old["cpu_seconds"]) / seconds
        usage[part] = {"cpu": cpu, "memory": new["memory_bytes"]} if new else None
    return usage
