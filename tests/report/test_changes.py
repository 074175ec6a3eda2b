"""What was changed on a mesh is remembered once, refused or not."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from meshproof.errors import MeshproofError, UsageError
from meshproof.mesh import Ack, Applied, Mesh, ReplicaStatus, Share, Source, Topology
from meshproof.report.changes import Changes, shares


class _Mesh:
    def apply(self, sources: Any, **_: Any) -> Applied:
        if "bad.yaml" in sources:
            raise MeshproofError("bad.yaml:1: refused")
        return Applied(
            ("VirtualService a/b created",), (Ack("s1", "1", 0.1), Ack("s2", "1", 0.2)), 0.2
        )

    def delete(self, sources: Any) -> Applied:
        return Applied((), (), 0.1)

    def scale(self, workload: str, replicas: int) -> Applied:
        return Applied((), (), 0.3)

    def fault(self, kind: str, workload: str, **how: Any) -> None:
        if kind == "bend":
            raise UsageError("no such fault")

    def reset(self) -> Applied:
        return Applied((), (), 0.1)


def test_changes_are_remembered_once_in_order_and_the_mesh_is_left_as_it_was() -> None:
    mesh = _Mesh()
    changes = Changes(cast(Mesh, mesh))
    mesh.apply([Path.cwd() / "rules" / "x.yaml"])
    mesh.scale("svca", 3)
    mesh.fault("latency", "svcb", ms=50)
    mesh.apply([Source("here", "kind: X\n")])
    with pytest.raises(MeshproofError, match="refused"):
        mesh.apply(["bad.yaml"])
    with pytest.raises(UsageError):
        mesh.fault("bend", "svcb")
    changes.end()
    mesh.reset()
    told = [(one.verb, one.subject, one.sidecars, one.error) for one in changes.made]
    assert told == [
        ("apply", "rules/x.yaml", 2, ""),
        ("scale", "svca 3", 0, ""),
        ("fault", "latency svcb ms=50", 0, ""),
        ("apply", "here", 2, ""),
        ("apply", "bad.yaml", 0, "bad.yaml:1: refused"),
        ("fault", "bend svcb", 0, "no such fault"),
    ]
    assert changes.made[0].seconds == 0.2
    assert not vars(mesh)


def test_shares_are_by_version_where_rules_hold_for_all() -> None:
    def share(workload: tuple[str, ...], percent: float, only: str = "") -> Share:
        return Share("svcb.shop.svc.cluster.local", "shop", workload, percent, only, "")

    replicas = [
        ReplicaStatus(f"r{n}", workload, "shop", {"version": version}, True, 0, "")
        for n, (workload, version) in enumerate({"one": "v1", "two": "v2"}.items())
    ]
    rules = (share(("one",), 90), share(("two",), 10), share(("two",), 100, "header x"),
             share(("one", "two"), 100))  # fmt: skip
    assert shares(Topology(rules, {}, {}), replicas) == {"svcb": {"v1": 90, "v2": 10}}
