"""pytest fixtures that bring a mesh up, load it, and judge what happened.

``mesh``      the mesh of this session (``MESH=embedded`` by default), rules reset after each test
``run``       fresh run ids, and the access log and spans recorded under them
``load``      starts Locust on the mesh's gateway; ended with the test
``evidence``  the test's folder under ``--artifacts``
``judge``     records a verdict and requires it: ``judge(verdict)``, and for a negative control
              ``judge(verdict, expect="fail", because="REGEX")``

Nothing starts, and nothing heavy is imported, in a session whose tests use none of these.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from types import FrameType

    from meshproof.mesh import Mesh
    from meshproof.report.evidence import Evidence
    from meshproof.report.run import Run
    from meshproof.traffic.load import Load
    from meshproof.verdicts.verdict import Verdict

_TABLE_WIDTH = 120
"""At least; a pipe says 80, and figures do not fit there."""
_FAILED = pytest.StashKey[bool]()
_BEGAN = pytest.StashKey[float]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("meshproof", "proofs on a service mesh")
    group.addoption("--mesh-name", default="", help="name of the mesh; default: one of its own")
    group.addoption(
        "--mesh-project", default="", metavar="FILE",
        help="the meshproof.yaml to bring up; default: the one in the root folder",
    )  # fmt: skip
    group.addoption(
        "--artifacts", default="artifacts", metavar="DIR", help="where proofs write their evidence"
    )
    group.addoption(
        "--mesh-report", default="report.json", metavar="FILE",
        help="the report's data in that folder; its page is beside it",
    )  # fmt: skip
    group.addoption(
        "--keep-mesh", action="store_true", help="leave the mesh up at the end, to look at it"
    )
    parser.addini(
        "meshproof_locustfile", "the locustfile of the load fixture", default="e2e/locustfile.py"
    )


def pytest_sessionstart(session: pytest.Session) -> None:
    session.config.stash[_BEGAN] = time.time()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
    return report


@pytest.fixture(scope="session")
def mesh(request: pytest.FixtureRequest) -> Iterator[Mesh]:
    """The session's mesh, up; taken down at the end, also after Ctrl-C or SIGTERM.

    The environment variable ``MESH`` says which kind; ``--keep-mesh`` leaves it up.
    """
    from meshproof.meshes import make_mesh  # noqa: PLC0415 (heavy)
    from meshproof.project import load_project  # noqa: PLC0415 (heavy)

    config = request.config
    file = config.getoption("--mesh-project") or config.rootpath / "meshproof.yaml"
    name = config.getoption("--mesh-name") or f"pytest-{os.getpid()}"
    made: Mesh = make_mesh(os.environ.get("MESH", "embedded"), load_project(Path(file)), name)
    with _interrupted_by_sigterm():
        try:
            made.up()
            yield made
        finally:
            if not config.getoption("--keep-mesh"):
                made.down()


@pytest.fixture
def evidence(request: pytest.FixtureRequest) -> Evidence:
    """The test's folder, empty: ``artifacts/<file>.<test>/``."""
    from meshproof.report.evidence import Evidence  # noqa: PLC0415 (lazy by promise)

    root = request.config.rootpath / request.config.getoption("--artifacts")
    return Evidence(root, request.node.nodeid)


@pytest.fixture
def run(request: pytest.FixtureRequest, mesh: Mesh, evidence: Evidence) -> Iterator[Run]:
    """Fresh run ids. After the test its evidence is written and the mesh's rules are reset."""
    from meshproof.report.run import Run  # noqa: PLC0415 (lazy by promise)

    made = Run(mesh)
    try:
        yield made
        if evidence.verdicts or request.node.stash.get(_FAILED, False):
            evidence.collect(
                mesh,
                [record for run_id in made.ids for record in made.access_log(run_id)],
                [span for run_id in made.ids for span in made.spans(run_id)],
                made.changes,
            )
    finally:
        made.end()
        mesh.reset()


@pytest.fixture(autouse=True)
def _meshproof_reset(request: pytest.FixtureRequest) -> None:
    """A test that uses ``mesh`` alone is cleaned up after like any other."""
    if "mesh" in request.fixturenames:
        request.getfixturevalue("run")


class StartLoad(Protocol):
    def __call__(self, **settings: Any) -> Load:
        """A started load. ``host`` is by default the gateway, ``run_id`` the run's first; the
        rest is as ``meshproof.traffic.load.Load`` takes it."""
        ...


@pytest.fixture
def load(
    request: pytest.FixtureRequest, mesh: Mesh, run: Run, evidence: Evidence
) -> Iterator[StartLoad]:
    """Starts loads; those still running when the test ends are ended."""
    from meshproof.traffic.load import Load  # noqa: PLC0415 (lazy by promise)

    locustfile = request.config.rootpath / request.config.getini("meshproof_locustfile")
    with ExitStack() as running:

        def start(**settings: Any) -> Load:
            defaults = {
                "host": mesh.url("gateway"),
                "locustfile": locustfile,
                "run_id": run.id,
                "folder": evidence.folder,
            }
            return running.enter_context(Load(**{**defaults, **settings}))

        yield start


class Judge(Protocol):
    def __call__(self, verdict: Verdict, *, expect: str = "pass", because: str = "") -> Verdict:
        """Records and requires a verdict.

        ``expect="fail"`` is for negative controls: the verdict must fail, and each of its
        problems must match the regular expression ``because``, so that a control that fails for
        want of evidence proves nothing.
        """
        ...


@pytest.fixture
def judge(request: pytest.FixtureRequest, evidence: Evidence) -> Judge:
    """Records each verdict in the folder, in JUnit XML and in the table at the end."""
    from meshproof.report.judging import require  # noqa: PLC0415 (lazy by promise)
    from meshproof.report.table import PROPERTY, row  # noqa: PLC0415

    def judged(verdict: Verdict, *, expect: str = "pass", because: str = "") -> Verdict:
        evidence.record(verdict, expect)
        test = request.node.nodeid.rpartition("/")[2]
        request.node.user_properties.append((PROPERTY, row(test, verdict, expect).to_json()))
        return require(verdict, expect, because)

    return judged


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The table of verdicts, and the same with all evidence as a page."""
    reports = [
        report
        for several in terminalreporter.stats.values()
        for report in several
        if isinstance(report, pytest.TestReport)
    ]
    name = "meshproof.verdict"
    rows = [value for one in reports for key, value in _said(one) if key == name]
    if not rows:
        return
    from meshproof.report.session import page  # noqa: PLC0415 (lazy by promise)
    from meshproof.report.table import Row, render  # noqa: PLC0415

    terminalreporter.section("verdicts")
    width = max(_TABLE_WIDTH, terminalreporter._tw.fullwidth)
    terminalreporter.write_line(render([Row.from_json(text) for text in rows], width))
    config = terminalreporter.config
    file = config.rootpath / config.getoption("--artifacts") / config.getoption("--mesh-report")
    made = page(reports, file, os.environ.get("MESH", "embedded"), config.stash[_BEGAN])
    terminalreporter.write_line(f"report: {made}")


def _said(report: pytest.TestReport) -> list[tuple[str, Any]]:
    return list(report.user_properties) if report.when == "call" else []


@contextmanager
def _interrupted_by_sigterm() -> Iterator[None]:
    """SIGTERM ends pytest as Ctrl-C does, so that fixtures are torn down."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt("SIGTERM")

    before: Callable[[int, FrameType | None], Any] | int | None
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
