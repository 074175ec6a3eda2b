"""The table of replicas: use between two looks, and what is not known stays unknown."""

from __future__ import annotations

from typing import Any

from meshproof.dashboard.replicas import build_table, by_process
from tests.fakes.mesh_texts import replica


def use(name: str, part: str, cpu: float, memory: int = 1 << 20) -> dict[str, Any]:
    return {"name": name, "part": part, "cpu_seconds": cpu, "memory_bytes": memory}


def test_processor_is_what_was_used_between_two_looks() -> None:
    before = by_process([use("svca-1", "app", 10.0), use("svca-1", "sidecar", 1.0)])
    now = by_process([use("svca-1", "app", 10.5), use("svca-1", "sidecar", 1.2)])
    (row,) = build_table([replica("svca", "svca")], before, now, 2.0)
    assert row["app"] == {"cpu": 25.0, "memory": 1 << 20}
    assert round(row["sidecar"]["cpu"], 6) == 10
    assert (row["version"], row["ready"], row["restarts"]) == ("v0.1", True, 0)


def test_the_first_look_knows_memory_alone() -> None:
    now = by_process([use("svca-1", "app", 10.0)])
    (row,) = build_table([replica("svca", "svca")], {}, now, 0.0)
    assert row["app"] == {"cpu": None, "memory": 1 << 20}
    assert row["sidecar"] is None


def test_an_app_that_started_again_has_no_negative_use() -> None:
    before, now = by_process([use("svca-1", "app", 10.0)]), by_process([use("svca-1", "app", 0.1)])
    (row,) = build_table([replica("svca", "svca")], before, now, 1.0)
    assert row["app"]["cpu"] is None


def test_gateway_and_hosts_outside_have_rows_of_their_own() -> None:
    now = by_process([use("gateway", "sidecar", 1.0), use("msgd.test", "app", 1.0)])
    rows = build_table([replica("svca", "svca", ready=False)], {}, now, 1.0)
    assert [(r["name"], r["workload"]) for r in rows] == [
        ("svca-1", "svca"),
        ("gateway", "gateway"),
        ("msgd.test", "outside"),
    ]
    assert (rows[0]["ready"], rows[0]["reason"]) == (False, "ended with code 1")
