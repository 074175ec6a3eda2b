"""The table of verdicts at the end, and the report; with pytest-xdist for all workers together."""

from __future__ import annotations

import os
import time
from collections.abc import Generator
from typing import Any

import pytest

from meshproof.plugin import artifacts

_TABLE_WIDTH = 120
"""At least: for a pipe pytest assumes 80, and figures do not fit there."""
_BEGAN = pytest.StashKey[float]()
_PROPERTY = "meshproof.verdict"


def pytest_sessionstart(session: pytest.Session) -> None:
    session.config.stash[_BEGAN] = time.time()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A proof that fails on an overloaded machine says so."""
    report = yield
    if report.failed and "mesh" in getattr(item, "fixturenames", ()):
        from meshproof.report import machine  # noqa: PLC0415 (lazy by promise)

        if overload := machine.current_overload():
            report.sections.append((machine.SECTION, overload))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The table of verdicts, and the same with all evidence as a page."""
    reports = [
        report
        for several in terminalreporter.stats.values()
        for report in several
        if isinstance(report, pytest.TestReport)
    ]
    rows = [value for one in reports for key, value in _properties(one) if key == _PROPERTY]
    if not rows:
        return
    from meshproof.report.session import write_session_report  # noqa: PLC0415 (lazy by promise)
    from meshproof.report.verdict_table import Row, render  # noqa: PLC0415

    terminalreporter.section("verdicts")
    width = max(_TABLE_WIDTH, terminalreporter._tw.fullwidth)
    terminalreporter.write_line(render([Row.from_json(text) for text in rows], width))
    config = terminalreporter.config
    file = artifacts.folder(config) / config.getoption("--mesh-report")
    html = write_session_report(
        reports, file, os.environ.get("MESH", "embedded"), config.stash[_BEGAN]
    )
    terminalreporter.write_line(f"report: {html}")


def _properties(report: pytest.TestReport) -> list[tuple[str, Any]]:
    return list(report.user_properties) if report.when == "call" else []
