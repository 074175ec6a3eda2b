"""Fixtures of this suite; mesh, run, load, evidence and judge come with meshproof's plugin."""

from __future__ import annotations

import pytest

from e2e.egress import Phases
from meshproof.mesh import Mesh
from meshproof.pytest_plugin import Judge, StartLoad
from meshproof.report.run import Run

LONG = (
    "test_apps",
    "test_assertions",
    "test_autoscaling",
    "test_explain",
    "test_dashboard",
    "test_discovery",
    "test_faults",
    "test_faults_at_every_hop",
    "test_kills",
    "test_msgd_in_100_ms",
    "test_network_faults",
    "test_own_app",
    "test_pods",
    "test_prometheus",
    "test_readme",
    "test_release",
    "test_soak",
    "test_span_store",
    "test_svca_no_more_than_so_many",
    "test_svca_takes_so_many_a_second",
    "test_svcb_ejects_what_fails",
    "test_svcb_least_request",
    "test_svcb_retries",
    "test_svcb_retries_on_a_budget",
    "test_svcb_round_robin",
    "test_svcb_sticks_to_the_end_user",
    "test_svcb_v0_1_100_mirrored_to_v0_2",
    "test_testing_your_rules",
    "test_tutorial",
)
"""What `make e2e-long` runs: not a rule's proof, or one that takes its time."""

ALONE = (
    "test_autoscaling",
    "test_faults",
    "test_msgd_in_100_ms",
    "test_network_faults",
    "test_release",
    "test_svca_no_more_than_so_many",
    "test_svca_takes_so_many_a_second",
    "test_svcb_ejects_what_fails",
    "test_svcb_least_request",
    "test_svcb_retries_on_a_budget",
)
"""Of these, what judges latency, throughput or processor time: no second mesh beside it."""

NIGHTLY = (
    "test_assertions",
    "test_autoscaling",
    "test_own_app",
    "test_soak",
    "test_svca_no_more_than_so_many",
    "test_svcb_retries_on_a_budget",
)
"""Of these, what `.ci/run` leaves to `make e2e-nightly`, so that CI ends within a quarter of an
hour: what rests on the same code as others, and takes longest."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.stem in LONG:
            item.add_marker(pytest.mark.nightly if item.path.stem in NIGHTLY else pytest.mark.long)
        if item.path.stem in ALONE:
            item.add_marker(pytest.mark.alone)


@pytest.fixture
def phases(mesh: Mesh, run: Run, load: StartLoad, judge: Judge) -> Phases:
    """The phases of an egress proof."""
    return Phases(mesh, run, load, judge)
