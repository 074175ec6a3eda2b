"""The small mesh of tiny/, for proofs that need one of their own."""

from __future__ import annotations

from pathlib import Path

from e2e.support.processes import processes_of_run
from meshproof.embedded.mesh import EmbeddedMesh
from meshproof.host.sweep import find_leftovers
from meshproof.project import load_project

TINY = Path(__file__).parents[1] / "tiny"


def build_mesh(name: str) -> EmbeddedMesh:
    """A mesh of tiny/ that is not up yet."""
    return EmbeddedMesh(load_project(TINY / "meshproof.yaml"), name=name)


def ready(mesh: EmbeddedMesh) -> list[str]:
    """The names of the replicas that are ready."""
    return [r.name for r in mesh.status().replicas if r.ready]


def nothing_remains(mesh: EmbeddedMesh) -> bool:
    """Whether no process and no run folder of the mesh is left."""
    folders = [f for f in find_leftovers().folders if f.name == mesh.run_id]
    return not processes_of_run(mesh.run_id) and not folders
