"""The ``mesh`` fixture: one mesh per process, ended however the process ends."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from meshproof.plugin.options import mesh_name, project_file

if TYPE_CHECKING:
    from types import FrameType

    from meshproof.mesh import Mesh
    from meshproof.project import Project


OURS = pytest.StashKey["Mesh"]()
"""The mesh that this session brought up; a project may have another fixture of that name."""
PROJECT = pytest.StashKey["Project"]()
"""The project of that mesh."""


@pytest.fixture(scope="session")
def mesh(request: pytest.FixtureRequest) -> Iterator[Mesh]:
    """The session's mesh, running. It is stopped at the end, also after Ctrl-C or SIGTERM.

    The environment variable ``MESH`` names its kind; ``--keep-mesh`` leaves it up. Each worker of
    pytest-xdist has a mesh of its own.
    """
    project = request.config.stash[PROJECT] = _load_project(request.config)
    mesh = request.config.stash[OURS] = _make_mesh(request.config, project)
    with interrupted_by_sigterm():
        try:
            mesh.up()
            yield mesh
        finally:
            if not request.config.getoption("--keep-mesh"):
                mesh.down()


def _load_project(config: pytest.Config) -> Project:
    file = project_file(config)
    from meshproof.errors import Refused  # noqa: PLC0415 (heavy, as what follows)
    from meshproof.project import load_project  # noqa: PLC0415

    try:
        return load_project(file)
    except Refused as refused:  # its message is all that helps
        pytest.fail(str(refused), pytrace=False)


def _make_mesh(config: pytest.Config, project: Project) -> Mesh:
    from meshproof.mesh_factory import make_mesh  # noqa: PLC0415 (heavy)
    from meshproof.report.recording_mesh import record_changes  # noqa: PLC0415

    return record_changes(make_mesh(os.environ.get("MESH", "embedded"), project, mesh_name(config)))


@contextmanager
def interrupted_by_sigterm() -> Iterator[None]:
    """SIGTERM ends pytest as Ctrl-C does, so that fixtures are torn down."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's business
        return

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt("SIGTERM")

    before: Callable[[int, FrameType | None], Any] | int | None
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
