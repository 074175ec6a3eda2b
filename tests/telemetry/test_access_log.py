"""Access log lines as records."""

from __future__ import annotations

import json
from pathlib import Path

from meshproof.telemetry import access_log


def test_records_of_a_run_without_markers_and_unfinished_lines(tmp_path: Path) -> None:
    log = tmp_path / "x.access.jsonl"
    lines = [
        {"direction": "outbound", "code": 200, "flags": "-", "run_id": "r1", "duration_ms": 3},
        {"direction": "probe", "code": 200, "run_id": "r1"},
        {"direction": "inbound", "code": 503, "flags": "UH", "run_id": "r2"},
        {"direction": "inbound", "code": 0, "flags": "DC", "run_id": "r1", "method": None},
    ]
    unfinished = json.dumps({"direction": "inbound", "code": 200, "run_id": "r1"})
    log.write_text("".join(json.dumps(line) + "\n" for line in lines) + unfinished)
    records = list(access_log.read(log, "svca-1", "r1"))
    assert [(r.direction, r.code, r.flags, r.sidecar) for r in records] == [
        ("outbound", 200, "-", "svca-1"),
        ("inbound", 0, "DC", "svca-1"),
    ]
    assert len(list(access_log.read(log, "svca-1"))) == 3


def test_no_file_is_no_record(tmp_path: Path) -> None:
    assert list(access_log.read(tmp_path / "none", "x")) == []


def test_reading_starts_at_a_line_wherever_it_is_told_to(tmp_path: Path) -> None:
    log = tmp_path / "x.access.jsonl"
    lines = [json.dumps({"direction": "inbound", "code": c, "run_id": f"r{c}"}) for c in (1, 2, 3)]
    log.write_text("\n".join(lines) + "\n")
    first = len(lines[0]) + 1
    for start, codes in ((0, [1, 2, 3]), (first, [2, 3]), (first + 5, [3]), (10_000, [])):
        assert [r.code for r in access_log.read(log, "x", start=start)] == codes
    assert [r.code for r in access_log.read(log, "x", "r2", first)] == [2]
    assert list(access_log.read(log, "x", "r1", first)) == []
