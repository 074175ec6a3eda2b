"""pytest fixtures that bring a mesh up, load it, and judge what happened.

For your own rules (docs/testing-your-rules.md):

``mesh``            the mesh of this session (``MESH=embedded`` by default); rules are reset after
                    each test
``apply``           applies files or YAML text for one test
``assert_split``, ``assert_blocked``, ``assert_allowed``, ``assert_status``, ``assert_trace``
                    send requests and judge what became of them: ``meshproof.assertions``

Beneath them:

``run``       fresh run ids, and the access log and spans recorded under them
``load``      starts Locust on the mesh's gateway; ended with the test
``evidence``  the test's folder under ``--artifacts``
``judge``     records a verdict and requires it: ``judge(verdict)``, and for a negative control
              ``judge(verdict, expect="fail", because="REGEX")``

Nothing starts, and nothing heavy is imported, in a session whose tests use none of these.
"""

from meshproof.plugin.artifacts import pytest_testnodedown
from meshproof.plugin.assertion_fixtures import (
    _bench,
    apply,
    assert_allowed,
    assert_blocked,
    assert_split,
    assert_status,
    assert_trace,
)
from meshproof.plugin.mesh_fixture import mesh
from meshproof.plugin.options import pytest_addoption
from meshproof.plugin.run_fixtures import (
    StartLoad,
    _meshproof_reset,
    evidence,
    judge,
    load,
    pytest_runtest_makereport,
    run,
)
from meshproof.plugin.summary import pytest_sessionstart, pytest_terminal_summary
from meshproof.report.expectation import Judge

__all__ = [
    "Judge",
    "StartLoad",
    "_bench",
    "_meshproof_reset",
    "apply",
    "assert_allowed",
    "assert_blocked",
    "assert_split",
    "assert_status",
    "assert_trace",
    "evidence",
    "judge",
    "load",
    "mesh",
    "pytest_addoption",
    "pytest_runtest_makereport",
    "pytest_sessionstart",
    "pytest_terminal_summary",
    "pytest_testnodedown",
    "run",
]
