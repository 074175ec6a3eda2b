"""Meshes of a proof's own: up for as long as the proof needs them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from conformance.replay import FOLDER
from meshproof.embedded.mesh import EmbeddedMesh
from meshproof.project import ImageCommand, Project, load_project


@contextmanager
def running(mesh: EmbeddedMesh) -> Iterator[EmbeddedMesh]:
    """The mesh, up; down at the end, whatever happens."""
    try:
        mesh.up()
        yield mesh
    finally:
        mesh.down()


def conformance_project() -> Project:
    """The mesh of conformance/: echo v1 and v2, other, client and intruder."""
    return load_project(FOLDER / "meshproof.yaml")


def with_workloads(
    project: Project, folder: Path, manifests: str, images: Mapping[str, list[str]]
) -> Project:
    """The project with further workloads; ``images`` are the commands of theirs."""
    file = folder / "workloads.yaml"
    file.write_text(manifests)
    commands = {image: ImageCommand(command=command) for image, command in images.items()}
    return replace(
        project,
        images={**project.images, **commands},
        manifests=(*project.manifests, file),
    )


def mesh_config(**fields: Any) -> str:
    """Istio's ConfigMap with this MeshConfig, as YAML."""
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "istio", "namespace": "istio-system"},
            "data": {"mesh": yaml.safe_dump(fields)},
        }
    )
