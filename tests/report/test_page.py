"""The page: whole in one file, and nothing in it is taken for markup."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from meshproof.errors import MeshproofError
from meshproof.mesh import Span
from meshproof.report import session
from meshproof.report.calls import Call
from meshproof.report.evidence import CHAPTER, folder_name
from meshproof.report.page import html, write
from meshproof.report.sample_traces import examples
from meshproof.report.sections import SCHEMA, ChangeRecord, Section, judged, read, report
from meshproof.report.series import series
from meshproof.traffic.record import Record
from meshproof.verdicts.sample import Sample
from meshproof.verdicts.split import split

EVIL = "</script><img src=x onerror=alert(1)>"
GOOD = split("half", Sample({"a": 2600, "b": 2640}, 0, 5240), {"a": 1, "b": 1})
OFF = split("60/40", Sample({"a": 3144, "b": 2096}, 0, 5240), {"a": 1, "b": 1})


def _span(trace: str, span: str, parent: str, seconds: float) -> Span:
    tags = {"http.url": f"http://svcb/notify/{EVIL}"}
    return Span(trace, span, parent, "CLIENT", "svca.shop", "svcb", 10.0, seconds, tags)


def _chapter(**other: Any) -> dict[str, Any]:
    load = series([Record(1 + i / 100, 0.01, 200, version=EVIL) for i in range(200)])
    assert load is not None
    whole: dict[str, Any] = {
        "verdicts": [judged(GOOD, "pass"), judged(OFF, "fail")],
        "loads": [load],
        "changes": [ChangeRecord("apply", EVIL, 1.5, 0.01, 3, shares={"svcb": {EVIL: 100.0}})],
        "calls": [Call("gateway", EVIL, False, 200, 3, 1.0, 2.0)],
        "traces": examples([_span("t1", "1", "", 0.1), _span("t2", "1", "", 0.2)]),
        "outcome": "passed",
    }
    return Section("test_a.py::test_b", **{**whole, **other}).as_dict()


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def _tags(page: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = _Tags()
    parser.feed(page)
    return parser.tags


def test_the_page_needs_no_other_file_and_escapes_what_it_was_given() -> None:
    page = html(report("proofs", EVIL, {"system": EVIL}, [_chapter(), _chapter()], 0.0))
    tags = _tags(page)
    assert EVIL not in page
    assert "img" not in {tag for tag, _ in tags}
    assert not [
        attrs for _, attrs in tags if attrs.get("src") or "://" in (attrs.get("href") or "")
    ]
    assert {"svg", "table", "details", "script"} <= {tag for tag, _ in tags}
    for text in (
        "failed, as it must",
        "n = 5,240",
        "The slowest trace",
        "1970-01-01",
        "▲ 3 failed",
    ):
        assert text in page


def test_a_chapter_that_failed_is_open_and_counted() -> None:
    chapters = [_chapter(), _chapter(outcome="failed", message="wanted 1"), _chapter(),
                _chapter(verdicts=[judged(GOOD, "fail")])]  # fmt: skip
    page = html(report("proofs", "Proofs", {}, chapters, 0.0))
    opened = [attrs["id"] for tag, attrs in _tags(page) if tag == "details" and "open" in attrs]
    assert opened == ["c1", "c3"]
    assert "2 of 4" in page
    assert "PASSED, had to fail" in page


def test_a_report_without_load_carries_no_charts() -> None:
    bare = Section("test_a.py::test_b", outcome="passed").as_dict()
    page = html(report("proofs", "Proofs", {}, [bare], 0.0))
    assert len(page) < 30_000
    assert 'id="plotly"' not in page


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    made = report("proofs", "Proofs", {"mesh": "embedded"}, [_chapter()], 5.0)
    page = write(made, tmp_path / "a" / "report.json")
    assert page == tmp_path / "a" / "report.html"
    assert read(page) == read(tmp_path / "a") == read(page.with_suffix(".json")) == made


@pytest.mark.parametrize(
    ("text", "said"),
    [(None, "No such file"), ("{", "not JSON"), ('{"schema": "x"}', f"wanted '{SCHEMA}'")],
)
def test_what_is_no_report_is_refused_by_name(tmp_path: Path, text: str | None, said: str) -> None:
    file = tmp_path / "report.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(MeshproofError, match=f"{file}.*{said}"):
        read(file)


def _phase(when: str, outcome: str, text: str = "") -> SimpleNamespace:
    return SimpleNamespace(
        nodeid="e2e/test_a.py::test_b", when=when, duration=1.0, failed=outcome == "failed",
        skipped=outcome == "skipped", longreprtext=text, longrepr=("f", 1, "why not"),
    )  # fmt: skip


def test_a_test_is_what_its_worst_phase_was() -> None:
    phases = [
        _phase("setup", "passed"),
        _phase("call", "passed"),
        _phase("teardown", "failed", "x"),
    ]
    (one,) = session.tested(phases)
    assert (one.outcome, one.message, one.seconds) == ("failed", "x", 3.0)
    (other,) = session.tested([_phase("setup", "skipped"), _phase("teardown", "passed")])
    assert (other.outcome, other.message) == ("skipped", "why not")


def test_evidence_of_an_earlier_session_is_not_taken(tmp_path: Path) -> None:
    folder = tmp_path / folder_name("e2e/test_a.py::test_b")
    folder.mkdir()
    (folder / CHAPTER).write_text(json.dumps(_chapter()))
    tests = session.tested([_phase("call", "passed")])
    (now,) = session.chapters(tests, tmp_path, since=0.0)
    (later,) = session.chapters(tests, tmp_path, since=1e12)
    assert len(now["verdicts"]) == 2
    assert later["verdicts"] == []
    assert now["title"] == later["title"] == "test_a.py::test_b"
