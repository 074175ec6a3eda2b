"""The fixtures of a test: its run, its load, its evidence, its verdicts."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from meshproof.plugin import artifacts
from meshproof.plugin.mesh_fixture import OURS, PROJECT

if TYPE_CHECKING:
    from meshproof.mesh import Mesh
    from meshproof.plugin.start_load import StartLoad
    from meshproof.report.evidence import ProofFolder
    from meshproof.report.expectation import Judge
    from meshproof.report.test_run import Run
    from meshproof.traffic.load import Load
    from meshproof.traffic.locust_process import LocustServer
    from meshproof.verdicts.verdict import Verdict

_FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
    return report


@pytest.fixture
def evidence(request: pytest.FixtureRequest) -> ProofFolder:
    """The test's folder for evidence, empty: ``artifacts/<file>.<test>/``."""
    from meshproof.report.evidence import ProofFolder  # noqa: PLC0415 (lazy by promise)

    return ProofFolder(artifacts.folder(request.config), request.node.nodeid)


@pytest.fixture
def run(request: pytest.FixtureRequest, mesh: Mesh, evidence: ProofFolder) -> Iterator[Run]:
    """New run ids. After the test its evidence is written and the mesh's rules are reset."""
    from meshproof.report.test_run import Run  # noqa: PLC0415 (lazy by promise)

    run = Run(mesh)
    try:
        yield run
        if evidence.verdicts or request.node.stash.get(_FAILED, False):
            evidence.collect(mesh, *run.everything(), run.changes)
    finally:
        mesh.reset()


@pytest.fixture(autouse=True)
def _meshproof_reset(request: pytest.FixtureRequest) -> None:
    """A test that uses ``mesh`` alone is cleaned up after, like any other."""
    if "mesh" not in request.fixturenames:
        return
    mesh = request.getfixturevalue("mesh")
    if mesh is request.config.stash.get(OURS, None):
        request.getfixturevalue("run")


@pytest.fixture(scope="session")
def _locust_server() -> Iterator[LocustServer]:
    """Starts the Locust of every load of this process."""
    from meshproof.traffic.locust_process import LocustServer  # noqa: PLC0415 (lazy by promise)

    with LocustServer() as server:
        yield server


@pytest.fixture
def load(
    request: pytest.FixtureRequest,
    mesh: Mesh,
    run: Run,
    evidence: ProofFolder,
    _locust_server: LocustServer,
) -> Iterator[StartLoad]:
    """Start loads. Those that are still running when the test ends are stopped."""
    from meshproof.traffic.load import Load  # noqa: PLC0415 (lazy by promise)
    from meshproof.traffic.locustfile_choice import choose_locustfile  # noqa: PLC0415

    config = request.config
    project, own = config.stash.get(PROJECT, None), config.getini("meshproof_locustfile")
    locustfile = config.rootpath / own if own else choose_locustfile(project, config.rootpath)
    with ExitStack() as running:

        def start(**settings: Any) -> Load:
            defaults = {
                "host": mesh.url("gateway"),
                "locustfile": locustfile,
                "path": project.path if project else "/",
                "run_id": run.id,
                "folder": evidence.folder,
                "server": _locust_server,
            }
            return running.enter_context(Load(**{**defaults, **settings}))

        yield start


@pytest.fixture
def judge(request: pytest.FixtureRequest, evidence: ProofFolder) -> Judge:
    """Record a verdict in the test's folder, in JUnit XML and in the table at the end."""
    from meshproof.report.expectation import require  # noqa: PLC0415 (lazy by promise)
    from meshproof.report.verdict_table import PROPERTY, build_row  # noqa: PLC0415

    def record_and_require(verdict: Verdict, *, expect: str = "pass", because: str = "") -> Verdict:
        __tracebackhide__ = True  # a failure points at the test's own line
        evidence.record(verdict, expect)
        test = request.node.nodeid.rpartition("/")[2]
        request.node.user_properties.append((PROPERTY, build_row(test, verdict, expect).to_json()))
        return require(verdict, expect, because)

    return record_and_require
