"""Records survive their trip through files, and the two accounts of a load must agree."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from meshproof.traffic.record import Record
from meshproof.traffic.results import LoadError, read

LATE = Record(2.0, 0.5, 200, version="v0.2", extra={"sold": True, "order": "b"})
EARLY = Record(1.0, 0.25, 200, version="v0.1", extra={"sold": False, "order": "a"})


def write(folder: Path, records: list[Record], **totals: object) -> tuple[Path, Path]:
    lines, stats = folder / "r.ndjson", folder / "s.json"
    lines.write_text("".join(json.dumps(r.as_dict()) + "\n" for r in records))
    stats.write_text(json.dumps(totals))
    return lines, stats


def test_records_come_back_in_the_order_sent(tmp_path: Path) -> None:
    results = read("r", *write(tmp_path, [LATE, EARLY], sent=2, requests=2, failures=0))
    assert results.records == (EARLY, LATE)
    assert results.seconds == pytest.approx(1.5)
    assert results.rate == pytest.approx(2 / 1.5)
    assert results.sample().sequence == ("v0.1", "v0.2")


def test_fields_of_the_app_are_kept_and_those_it_names_are_counted(tmp_path: Path) -> None:
    failed = Record(3.0, 0.1, 503, extra={"sold": True})
    files = write(
        tmp_path, [LATE, EARLY, failed], sent=3, requests=3, failures=1, counted=["sold", "lost"]
    )
    results = read("r", *files)
    assert [r.extra.get("order") for r in results.records] == ["a", "b", None]
    assert results.counts() == {"sold": 1, "lost": 0}


@pytest.mark.parametrize(
    "totals",
    [
        {"sent": 3, "requests": 2, "failures": 0},
        {"sent": 2, "requests": 1, "failures": 0},
        {"sent": 2, "requests": 2, "failures": 1},
    ],
)
def test_accounts_that_differ_are_no_evidence(tmp_path: Path, totals: dict[str, int]) -> None:
    with pytest.raises(LoadError, match="2 records, 0 of them failed; Locust says"):
        read("r", *write(tmp_path, [EARLY, LATE], **totals))


def test_no_totals_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="without totals"):
        read("r", tmp_path / "r", tmp_path / "s")


def test_an_answer_without_a_version_is_counted_as_such(tmp_path: Path) -> None:
    nameless = Record(1.0, 0.1, 200)
    results = read("r", *write(tmp_path, [nameless], sent=1, requests=1, failures=0))
    assert results.sample().counts == {"no version": 1}
