"""Command line options and ini values, and the project file that they name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from meshproof.project_path import PROJECT_FILE, project_path

WORKER = "PYTEST_XDIST_WORKER"
"""Set by pytest-xdist in its workers: ``gw0``."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("meshproof", "proofs on a service mesh")
    group.addoption("--mesh-name", default="", help="name of the mesh; default: one of its own")
    group.addoption(
        "--mesh-project", default="", metavar="FILE",
        help=f"the {PROJECT_FILE} to bring up, or its folder; default: the one in the root folder",
    )  # fmt: skip
    group.addoption(
        "--artifacts", default="artifacts", metavar="DIR", help="folder for the evidence of proofs"
    )
    group.addoption(
        "--mesh-report", default="report.json", metavar="FILE",
        help="the report's data in that folder; its page is beside it",
    )  # fmt: skip
    group.addoption(
        "--keep-mesh", action="store_true", help="leave the mesh up at the end, for inspection"
    )
    parser.addini(
        "meshproof_project", f"the {PROJECT_FILE} to bring up, from the root folder", default=""
    )
    parser.addini(
        "meshproof_locustfile",
        "the locustfile of the load fixture; default: the project's, locustfile.py in the root "
        "folder, or one for which any answer of status 200 is good",
        default="",
    )


def project_file(config: pytest.Config) -> Path:
    """That of ``--mesh-project``, else of the ini value ``meshproof_project``, else
    ``meshproof.yaml`` in the root folder. Without any, fails the test that needs it."""
    if option := config.getoption("--mesh-project"):
        return project_path(Path(option))
    if value := config.getini("meshproof_project"):
        return project_path(config.rootpath / value)
    file = config.rootpath / PROJECT_FILE
    if not file.exists():
        pytest.fail(
            f"{file}: there is no such file, so there is no mesh to bring up; wanted a project file"
            " there (`meshproof init MANIFESTS` writes one), or --mesh-project FILE, or"
            " meshproof_project = FILE in pytest's own configuration",
            pytrace=False,
        )
    return file


def mesh_name(config: pytest.Config) -> str:
    """The name of this process's mesh: no two workers of pytest-xdist share one."""
    name = config.getoption("--mesh-name") or f"pytest-{os.getpid()}"
    worker = os.environ.get(WORKER)
    return f"{name}-{worker}" if worker else str(name)
