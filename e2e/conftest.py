"""Fixtures of this suite; mesh, run, load, evidence and judge come with meshproof's plugin."""

from __future__ import annotations

import os

import pytest

from e2e.payments.egress_phases import Phases
from meshproof.mesh import Mesh
from meshproof.pytest_plugin import Judge, StartLoad
from meshproof.report.test_run import Run

LONGEST_FIRST = (
    "test_svcb_v0_2_100",
    "test_explain",
    "test_in_pods",
    "test_svcb_v0_1_50_v0_2_50",
    "test_only_svcb_may_leave_for_msgd",
    "test_egress_msgd_by_name",
    "test_refusals",
    "test_contract",
    "test_traces",
    "test_svcb_only_from_svca",
    "test_security",
    "test_svcb_knows_svca_only",
    "test_secrets",
    "test_svcb_by_header",
    "test_egress_msgd_by_address",
    "test_payers_show_a_token",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, so that two workers end at about the same time. With
    ``--no-loadscope-reorder`` pytest-xdist keeps this order; by itself it goes by numbers of
    tests. On a cluster the tutorial comes before all: it begins with a cluster of that name that
    nobody has used."""
    ranks = {stem: rank for rank, stem in enumerate(LONGEST_FIRST)}
    if os.environ.get("MESH", "embedded") != "embedded":
        ranks["test_tutorial"] = -1
    items.sort(key=lambda item: ranks.get(item.path.stem, len(ranks)))


@pytest.fixture
def phases(mesh: Mesh, run: Run, load: StartLoad, judge: Judge) -> Phases:
    """The phases of an egress proof."""
    return Phases(mesh, run, load, judge)
