"""A report's data: written and read again; a file that is no report is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.errors import MeshproofError
from meshproof.report.page import write_report
from meshproof.report.sections import SCHEMA, Section, build_report, read_report


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    report = build_report(
        "proofs", "Proofs", {"mesh": "embedded"}, [Section("test_a.py::test_b").as_dict()], 5.0
    )
    page = write_report(report, tmp_path / "a" / "report.json")
    assert page == tmp_path / "a" / "report.html"
    assert (
        read_report(page)
        == read_report(tmp_path / "a")
        == read_report(page.with_suffix(".json"))
        == report
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [(None, "No such file"), ("{", "not JSON"), ('{"schema": "x"}', f"wanted '{SCHEMA}'")],
)
def test_what_is_no_report_is_refused_by_name(
    tmp_path: Path, text: str | None, message: str
) -> None:
    file = tmp_path / "report.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(MeshproofError, match=f"{file}.*{message}"):
        read_report(file)
