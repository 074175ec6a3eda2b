"""The record file of a running load: what is counted of it, and what is not yet."""

from __future__ import annotations

import json
from pathlib import Path

from meshproof.traffic.record import Record
from meshproof.traffic.record_tail import RecordTail


def line(number: int, version: str = "v1", status: int = 200, error: str = "") -> str:
    record = Record(1.0, 0.1, status, error, version, number=number)
    return json.dumps(record.as_dict()) + "\n"


def test_only_whole_lines_are_counted(tmp_path: Path) -> None:
    file = tmp_path / "records"
    tail = RecordTail(file)
    assert tail.read() == 0
    file.write_text(line(1) + line(2)[:20])
    assert tail.read() == 1
    file.write_text(line(1) + line(2) + line(3))
    assert tail.read() == 3
    assert tail.read() == 3


def test_answers_count_up_to_the_first_that_is_in_flight(tmp_path: Path) -> None:
    file = tmp_path / "records"
    tail = RecordTail(file)
    file.write_text(line(2, "v2") + line(1) + line(4, "v2"))
    assert tail.read(versions=True) == 3
    assert tail.versions == {"v1": 1, "v2": 1}
    with file.open("a") as more:
        more.write(line(3, status=503) + line(5, error="cut") + line(6, version=""))
    assert tail.read(versions=True) == 6
    assert tail.versions == {"v1": 1, "v2": 2, "no version": 1}
