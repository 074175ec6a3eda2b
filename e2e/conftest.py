"""Fixtures of this suite; mesh, run, load, evidence and judge come with meshproof's plugin."""

from __future__ import annotations

import pytest

from e2e.payments.egress_phases import Phases
from meshproof.mesh import Mesh
from meshproof.pytest_plugin import Judge, StartLoad
from meshproof.report.test_run import Run


@pytest.fixture
def phases(mesh: Mesh, run: Run, load: StartLoad, judge: Judge) -> Phases:
    """The phases of an egress proof."""
    return Phases(mesh, run, load, judge)
