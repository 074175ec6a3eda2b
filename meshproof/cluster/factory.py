"""From ``MESH=kind`` or ``MESH=context`` and the environment to a mesh that is not up yet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from meshproof.cluster.commands import Commands, Runner
from meshproof.cluster.control_adapter import ServedClusterMesh
from meshproof.cluster.mesh import ClusterMesh
from meshproof.cluster.providers.context import ContextProvider
from meshproof.cluster.providers.kind import KindProvider
from meshproof.cluster.providers.provider import Provider
from meshproof.cluster.settings import Settings, from_env
from meshproof.cluster.state_dir import folder
from meshproof.project import Project

M = TypeVar("M", bound=ClusterMesh)
LOG = Path("artifacts") / "commands.log"
"""Relative to the project: every command with its seconds and exit code."""


def make(
    kind: str,
    project: Project,
    name: str,
    environ: Mapping[str, str],
    *,
    runner: Runner | None = None,
    state: Path | None = None,
) -> ServedClusterMesh:
    """``runner`` and ``state`` (where kubeconfigs are kept) are for tests.

    Raises UsageError for settings that cannot be used, all of them at once.
    """
    settings = from_env(environ, kind=kind)
    runner = runner or Commands(project.root / LOG)
    return assemble(ServedClusterMesh, settings, project, name, runner, state)


def assemble(  # noqa: PLR0917  # six parts of one whole, named by both callers
    cls: type[M],
    settings: Settings,
    project: Project,
    name: str,
    runner: Runner,
    state: Path | None,
) -> M:
    """A mesh of that class, at the place that the settings name."""
    home = folder(settings.context or settings.kind_cluster, state)
    place: Provider = ContextProvider(runner, settings, project)
    if settings.on_kind:
        place = KindProvider(runner, settings, project, home)
    return cls(project, settings, place, runner, name=name, profile=home.profile)
