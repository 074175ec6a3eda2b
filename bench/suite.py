"""The repository's own suite as a mesh to measure, and the rules that the measurements use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from bench.load import ROOT
from meshproof.mesh import Mesh
from meshproof.mesh_factory import make_mesh
from meshproof.project import Project, load_project
from meshproof.project_path import PROJECT_FILE

EGRESS = ROOT / "rules" / "egress_msgd_by_address.yaml"
HALF = ROOT / "rules" / "svcb_v0_1_50_v0_2_50.yaml"
ALL_NEW = ROOT / "rules" / "svcb_v0_2_100.yaml"
GOOD = '"notified":true'
"""In the answer of a payment that went all the way to msgd."""
MARK = r'"svcb_version":"([^"]+)"'


def all_of(subset: str) -> str:
    """The text of ``ALL_NEW`` for a subset: the two differ in nothing but where calls go."""
    text = ALL_NEW.read_text(encoding="utf-8")
    before, last, after = text.rpartition("subset: v0-2")
    assert last, f"{ALL_NEW} routes to v0-2"
    return f"{before}subset: {subset}{after}"


def project() -> Project:
    return load_project(ROOT / PROJECT_FILE)


@contextmanager
def running(of: Project, name: str) -> Iterator[Mesh]:
    """A mesh that is up, and ends with the block. Names carry this process's id: several runs
    may measure at once."""
    mesh = make_mesh("embedded", of, name=f"bench-{name}-{os.getpid()}")
    mesh.up()
    try:
        yield mesh
    finally:
        mesh.down()
