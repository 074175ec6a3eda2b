"""``apply`` and the assertions of ``meshproof.assertions``, each as a fixture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from meshproof.assertions import (
        Apply,
        AssertAllowed,
        AssertBlocked,
        AssertSplit,
        AssertStatus,
        AssertTrace,
    )
    from meshproof.assertions.context import Bench
    from meshproof.mesh import Mesh
    from meshproof.report.expectation import Judge
    from meshproof.report.test_run import Run


@pytest.fixture
def apply(request: pytest.FixtureRequest, mesh: Mesh, run: Run) -> Apply:  # noqa: ARG001
    """Applies files or YAML text on top of the project, for this test alone."""
    from meshproof.assertions.apply import Apply  # noqa: PLC0415 (lazy by promise)

    return Apply(mesh, request.config.rootpath)


@pytest.fixture
def _bench(mesh: Mesh, run: Run, judge: Judge, apply: Apply) -> Bench:
    from meshproof.assertions.context import Bench  # noqa: PLC0415 (lazy by promise)

    return Bench(mesh, run, judge, apply)


@pytest.fixture
def assert_split(_bench: Bench) -> AssertSplit:
    """Calls go to versions in the shares that a rule says."""
    from meshproof.assertions.splits import AssertSplit  # noqa: PLC0415 (lazy by promise)

    return AssertSplit(_bench)


@pytest.fixture
def assert_blocked(_bench: Bench) -> AssertBlocked:
    """Callers are refused, and nothing gets through."""
    from meshproof.assertions.access import AssertBlocked  # noqa: PLC0415 (lazy by promise)

    return AssertBlocked(_bench)


@pytest.fixture
def assert_allowed(_bench: Bench) -> AssertAllowed:
    """Callers are answered, and every request gets through."""
    from meshproof.assertions.access import AssertAllowed  # noqa: PLC0415 (lazy by promise)

    return AssertAllowed(_bench)


@pytest.fixture
def assert_status(_bench: Bench) -> AssertStatus:
    """Callers are answered with this status, by whomever."""
    from meshproof.assertions.access import AssertStatus  # noqa: PLC0415 (lazy by promise)

    return AssertStatus(_bench)


@pytest.fixture
def assert_trace(_bench: Bench) -> AssertTrace:
    """One whole trace a request, of just the calls that are named."""
    from meshproof.assertions.traces import AssertTrace  # noqa: PLC0415 (lazy by promise)

    return AssertTrace(_bench)
