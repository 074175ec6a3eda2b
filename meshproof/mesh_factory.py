"""Turns ``MESH`` into an implementation of the contract."""

from __future__ import annotations

import os

from meshproof.control.served_mesh import ServedMesh
from meshproof.errors import MeshproofError, UsageError
from meshproof.project import Project

KINDS = ("embedded", "kind", "context")


def make_mesh(kind: str, project: Project, name: str = "meshproof") -> ServedMesh:
    """A mesh that is not started yet; ``kind`` is ``embedded``, ``kind`` or ``context``.

    Imports only what that kind needs. Raises UsageError for any other value.
    """
    if kind == "embedded":
        from meshproof.embedded.mesh import EmbeddedMesh  # noqa: PLC0415

        return EmbeddedMesh(project, name=name)
    if kind in KINDS:
        from meshproof.cluster.factory import make  # noqa: PLC0415

        return make(kind, project, name, os.environ)
    raise UsageError(f"MESH={kind}: wanted one of {', '.join(KINDS)}")


def proxy_version(kind: str) -> str:
    """The version of the Envoy that a mesh of this kind runs, or why it is unknown; empty for a
    mesh whose Envoys come with the cluster's images."""
    if kind != "embedded":
        return ""
    from meshproof.embedded.pod import envoy_binary  # noqa: PLC0415 (only for that kind)

    try:
        return envoy_binary.version()
    except MeshproofError as error:
        return str(error)
