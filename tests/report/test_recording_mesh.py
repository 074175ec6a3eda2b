"""Each change of a mesh is recorded once, refused or not; all else is the mesh's own."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from meshproof.control.protocols import SupportsTraces
from meshproof.control.routes.dashboard import SupportsDashboard
from meshproof.errors import MeshproofError, UsageError
from meshproof.mesh import Ack, Applied, Mesh, ReplicaStatus, Share, Source, Topology
from meshproof.report.recording_mesh import RecordingMesh, record_changes


class _Mesh:
    def apply(self, sources: Any, **_: Any) -> Applied:
        if "bad.yaml" in sources:
            raise MeshproofError("bad.yaml:1: refused")
        return Applied(
            ("VirtualService a/b created",), (Ack("s1", "1", 0.1), Ack("s2", "1", 0.2)), 0.2
        )

    def delete(self, sources: Any, **_: Any) -> Applied:
        return Applied((), (), 0.1)

    def scale(self, workload: str, replicas: int) -> Applied:
        return Applied((), (), 0.3)

    def fault(self, kind: str, workload: str, **how: Any) -> None:
        if kind == "bend":
            raise UsageError("no such fault")

    def reset(self) -> Applied:
        return Applied((), (), 0.1)


def test_changes_are_recorded_once_in_order() -> None:
    mesh = record_changes(cast(Mesh, _Mesh()))
    assert isinstance(mesh, RecordingMesh)
    mesh.reset()
    first = mesh.last_change
    mesh.apply([Path.cwd() / "rules" / "x.yaml"])
    mesh.scale("svca", 3)
    mesh.fault("latency", "svcb", ms=50)
    mesh.apply([Source("here", "kind: X\n")])
    with pytest.raises(MeshproofError, match="refused"):
        mesh.apply(["bad.yaml"])
    with pytest.raises(UsageError):
        mesh.fault("bend", "svcb")
    changes = mesh.changes_since(first)
    assert [(one.verb, one.subject, one.sidecars, one.error) for one in changes] == [
        ("apply", "rules/x.yaml", 2, ""),
        ("scale", "svca 3", 0, ""),
        ("fault", "latency svcb ms=50", 0, ""),
        ("apply", "here", 2, ""),
        ("apply", "bad.yaml", 0, "bad.yaml:1: refused"),
        ("fault", "bend svcb", 0, "no such fault"),
    ]
    assert changes[0].seconds == 0.2
    assert changes[0].shares == {}


class _WatchedMesh(_Mesh):
    def __init__(self) -> None:
        self.run_id = "r"

    def topology(self) -> Topology:
        return Topology(
            (Share("web.shop.svc.cluster.local", "shop", ("one",), 100, "", ""),), {}, {}
        )

    def usage(self) -> list[Any]:
        return []

    def request_metrics(self) -> str:
        return "none"

    def status(self) -> Any:
        replica = ReplicaStatus("r1", "one", "shop", {"version": "v1"}, True, 0, "")
        return SimpleNamespace(replicas=(replica,))


def test_a_recording_mesh_can_do_what_the_mesh_can() -> None:
    watched = record_changes(cast(Mesh, _WatchedMesh()))
    assert isinstance(watched, SupportsDashboard)
    assert not isinstance(watched, SupportsTraces)
    assert not isinstance(record_changes(cast(Mesh, _Mesh())), SupportsDashboard)
    assert (watched.request_metrics(), cast(Any, watched).run_id) == ("none", "r")


def test_the_shares_after_a_change_are_recorded_where_the_mesh_knows_them() -> None:
    mesh = record_changes(cast(Mesh, _WatchedMesh()))
    mesh.apply(["x.yaml"])
    (change,) = cast(RecordingMesh, mesh).changes_since(0)
    assert change.shares == {"web": {"v1": 100}}
