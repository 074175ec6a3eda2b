"""``run_live``: which cases a running mesh is asked about."""

from __future__ import annotations

from typing import Any, cast

from meshproof.cases.live import run_live
from meshproof.cases.results import Outcome
from meshproof.cases.run import run_static
from meshproof.mesh import Mesh
from meshproof.project import Project
from tests.cases.mesh_files import planner, read


class Silent:
    """A mesh that comes up and goes down; to call it is an error."""

    calls: list[str]

    def __init__(self) -> None:
        self.calls = []

    def __getattr__(self, name: str) -> Any:
        if name not in ("up", "down", "reset", "apply"):
            raise AssertionError(f"{name} was asked of the mesh")
        return lambda *_, **__: self.calls.append(name)


def test_https_of_a_workload_is_in_no_log_so_its_verdict_is_that_of_the_files() -> None:
    cases, _ = read(
        "cases: [{name: one, request: {from: client, url: 'https://a.test/'}, "
        "expect: {allowed: false}}]"
    )
    files, mesh = planner(), Silent()

    def make(_: Project) -> Mesh:
        return cast(Mesh, mesh)

    (result,) = run_live(run_static(cases, files).results, files, make)
    assert (result.outcome, result.live) == (Outcome.PASSED, None)
    assert "judged by files alone" in result.warnings[0]
    assert mesh.calls[0] == "up"
    assert mesh.calls[-1] == "down"
