"""The newest access log lines: filtered, newest first, whatever the file's length."""

from __future__ import annotations

import json
from pathlib import Path

from meshproof.dashboard import log_tail


def line(n: int, **more: object) -> str:
    record = {"direction": "outbound", "time": f"2026-11-25T10:00:{n:02}.000Z", "path": f"/p{n}",
              "code": 200, "method": "GET", "authority": "svcb", **more}  # fmt: skip
    return json.dumps(record, separators=(",", ":")) + "\n"


def write(folder: Path, node: str, text: str) -> None:
    (folder / f"{node}.access.jsonl").write_text(text)


def paths(folder: Path, terms: str = "", limit: int = 10) -> list[str]:
    return [r["path"] for r in log_tail.read_newest(folder, terms.split(), limit)]


def test_newest_first_over_all_proxies(tmp_path: Path) -> None:
    write(tmp_path, "svca-1", line(1) + line(3))
    write(tmp_path, "svcb-1", line(2) + line(4))
    assert paths(tmp_path) == ["/p4", "/p3", "/p2", "/p1"]
    assert paths(tmp_path, limit=2) == ["/p4", "/p3"]


def test_every_word_must_be_there_in_the_line_or_its_proxy(tmp_path: Path) -> None:
    write(tmp_path, "svca-1", line(1, code=502) + line(2))
    write(tmp_path, "svcb-1", line(3, code=502, details="DIRECT_response"))
    assert paths(tmp_path, "502") == ["/p3", "/p1"]
    assert paths(tmp_path, "502 svca-1") == ["/p1"]
    assert paths(tmp_path, "direct_RESPONSE") == ["/p3"]
    assert paths(tmp_path, "502 nothing") == []


def test_markers_and_half_written_lines_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, "svca-1", line(1) + line(2, direction="probe") + line(3)[:20])
    assert paths(tmp_path) == ["/p1"]


def test_of_a_long_file_only_the_end_is_read(tmp_path: Path) -> None:
    write(
        tmp_path, "svca-1", line(1, path="/old", pad="x" * log_tail.TAIL_SIZE) + line(2) + line(3)
    )
    assert paths(tmp_path) == ["/p3", "/p2"]
    assert paths(tmp_path, "/old") == []


def test_records_that_the_mesh_has_read_are_chosen_the_same_way() -> None:
    records = [
        {"time": f"2026-11-25T10:00:0{n}Z", "sidecar": f"svca-{n}", "path": f"/p{n}", "code": code}
        for n, code in enumerate((502, 200, 502))
    ]
    result = log_tail.select_newest(records, ["502"], 10)
    assert [r["path"] for r in result] == ["/p2", "/p0"]
    assert log_tail.select_newest(records, ["SVCA-1"], 10) == [records[1]]
    assert log_tail.select_newest(records, [], 1) == [records[2]]


def test_no_folder_no_lines(tmp_path: Path) -> None:
    assert paths(tmp_path / "gone") == []
