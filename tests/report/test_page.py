"""The page: whole in one file, and nothing in it is taken for markup."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from meshproof.mesh import Span
from meshproof.report.calls import Call
from meshproof.report.page import render_html
from meshproof.report.sample_traces import sample_traces
from meshproof.report.sections import (
    ChangeRecord,
    Section,
    build_report,
    verdict_as_json,
)
from meshproof.report.series import build_series
from meshproof.traffic.record import Record
from meshproof.verdicts.sample import Sample
from meshproof.verdicts.split import split

EVIL = "</script><img src=x onerror=alert(1)>"
GOOD = split("half", Sample({"a": 2600, "b": 2640}, 0, 5240), {"a": 1, "b": 1})
OFF = split("60/40", Sample({"a": 3144, "b": 2096}, 0, 5240), {"a": 1, "b": 1})


def _span(trace: str, span: str, parent: str, seconds: float) -> Span:
    tags = {"http.url": f"http://svcb/notify/{EVIL}"}
    return Span(trace, span, parent, "CLIENT", "svca.shop", "svcb", 10.0, seconds, tags)


def _section(**other: Any) -> dict[str, Any]:
    load = build_series([Record(1 + i / 100, 0.01, 200, version=EVIL) for i in range(200)])
    assert load is not None
    fields: dict[str, Any] = {
        "verdicts": [verdict_as_json(GOOD, "pass"), verdict_as_json(OFF, "fail")],
        "loads": [load],
        "changes": [ChangeRecord("apply", EVIL, 1.5, 0.01, 3, shares={"svcb": {EVIL: 100.0}})],
        "calls": [Call("gateway", EVIL, False, 200, 3, 1.0, 2.0)],
        "traces": sample_traces([_span("t1", "1", "", 0.1), _span("t2", "1", "", 0.2)]),
        "outcome": "passed",
    }
    return Section("test_a.py::test_b", **{**fields, **other}).as_dict()


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
    page = render_html(
        build_report("proofs", EVIL, {"system": EVIL}, [_section(), _section()], 0.0)
    )
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


def test_a_section_that_failed_is_open_and_counted() -> None:
    sections = [_section(), _section(outcome="failed", message="wanted 1"), _section(),
                _section(verdicts=[verdict_as_json(GOOD, "fail")])]  # fmt: skip
    page = render_html(build_report("proofs", "Proofs", {}, sections, 0.0))
    opened = [attrs["id"] for tag, attrs in _tags(page) if tag == "details" and "open" in attrs]
    assert opened == ["c1", "c3"]
    assert "2 of 4" in page
    assert "PASSED, had to fail" in page


def test_a_report_without_load_carries_no_charts() -> None:
    bare = Section("test_a.py::test_b", outcome="passed").as_dict()
    page = render_html(build_report("proofs", "Proofs", {}, [bare], 0.0))
    assert len(page) < 30_000
    assert 'id="plotly"' not in page


def test_what_failed_stands_first_and_what_was_skipped_is_a_number_of_its_own() -> None:
    sections = [
        {**_section(outcome="skipped", verdicts=[], message="Skipped: no such tool"), "title": "a"},
        {**_section(), "title": "b"},
        {**_section(outcome="failed"), "title": "c"},
    ]
    page = render_html(build_report("proofs", "t", {}, sections, 0.0))
    assert "<b>1 of 2</b>as they must be, 1 skipped" in page
    assert "Skipped: no such tool</td>" in page
    numbers = [attrs["id"] for tag, attrs in _tags(page) if tag == "details"]
    assert numbers == ["c2", "c1", "c0"]
    assert page.count('scope="rowgroup"') == 2, "verdicts stand under their test's name"
