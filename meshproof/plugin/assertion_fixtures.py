"""``apply`` and the assertions of ``meshproof.assertions``, each as a fixture."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from meshproof.assertions import Apply
    from meshproof.assertions.context import AssertionContext
    from meshproof.mesh import Mesh
    from meshproof.report.expectation import Judge
    from meshproof.report.test_run import Run


@pytest.fixture
def apply(request: pytest.FixtureRequest, mesh: Mesh, run: Run) -> Apply:  # noqa: ARG001
    """Apply files or YAML text on top of the project's rules, for this test only."""
    from meshproof.assertions.apply import Apply  # noqa: PLC0415 (lazy by promise)

    return Apply(mesh, request.config.rootpath)


@pytest.fixture
def _assertion_context(mesh: Mesh, run: Run, judge: Judge, apply: Apply) -> AssertionContext:
    from meshproof.assertions.context import AssertionContext  # noqa: PLC0415 (lazy by promise)

    return AssertionContext(mesh, run, judge, apply)


def _assertion(module: str, name: str, help_: str) -> Any:
    """The fixture of a class of ``meshproof.assertions``, imported where a test asks for it."""

    def build(_assertion_context: AssertionContext) -> Any:
        kind = getattr(importlib.import_module(f"meshproof.assertions.{module}"), name)
        return kind(_assertion_context)

    build.__doc__ = help_
    return pytest.fixture(build)


assert_split = _assertion(
    "splits", "AssertSplit", "Assert that calls go to versions in the shares that a rule sets."
)
assert_blocked = _assertion(
    "access", "AssertBlocked", "Assert that callers are refused, and that nothing gets through."
)
assert_allowed = _assertion(
    "access",
    "AssertAllowed",
    "Assert that callers are answered, and that every request gets through.",
)
assert_status = _assertion(
    "access", "AssertStatus", "Assert that callers get this status, whoever answers."
)
assert_trace = _assertion(
    "traces",
    "AssertTrace",
    "Assert that each request leaves one complete trace of exactly these calls.",
)
