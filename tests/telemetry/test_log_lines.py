from __future__ import annotations

import json
from pathlib import Path

import pytest

from meshproof.errors import UsageError
from meshproof.telemetry.log_lines import LineFilter, LogLine, read_file, read_text, sort_lines

TRACE = "00ab54a98ceb1f0ad2"


def sidecar(time: str, duration: int, trace: str = TRACE, **more: object) -> str:
    entry = {"time": time, "duration_ms": duration, "trace_id": trace, "run_id": "r", **more}
    return json.dumps(entry) + "\n"


def app(time: str, duration: float, trace: str = TRACE, **more: object) -> str:
    return (
        json.dumps({"time": time, "ms": duration, "trace_id": trace, "run_id": "r", **more}) + "\n"
    )


def test_an_app_began_so_much_before_its_line() -> None:
    (line,) = read_text(
        app("2026-11-25T10:00:00.250+00:00", 100.4), "svca-1", "app", LineFilter(TRACE)
    )
    assert (line.began, line.writer, line.part) == ("2026-11-25T10:00:00.149Z", "svca-1", "app")
    (line,) = read_text(
        sidecar("2026-11-25T10:00:00.250Z", 100), "svca-1", "sidecar", LineFilter(TRACE)
    )
    assert line.began == "2026-11-25T10:00:00.250Z"


def test_the_outer_of_two_that_began_at_once_comes_first() -> None:
    at = "2026-11-25T10:00:00.000Z"
    lines = [
        LogLine("", "z", "app", {"text": "no time"}),
        LogLine(at, "inner", "sidecar", {"duration_ms": 3}),
        LogLine(at, "callee", "sidecar", {"duration_ms": 5, "direction": "inbound"}),
        LogLine(at, "outer", "sidecar", {"duration_ms": 5, "direction": "outbound"}),
        LogLine("2026-11-25T09:59:59.999Z", "first", "sidecar", {"duration_ms": 9}),
    ]
    assert [line.writer for line in sort_lines(lines)] == ["first", "outer", "callee", "inner", "z"]


def test_only_lines_of_the_trace_are_found_however_its_zeros_are_written() -> None:
    log = (
        sidecar("t", 1) + sidecar("t", 1, "cd54a98ceb1f0ad2") + sidecar("t", 1, TRACE.lstrip("0"))
        + sidecar("t", 1, "cd54a98ceb1f0ad2", path=f"/link?to={TRACE}")
    )  # fmt: skip
    for ids in (TRACE, TRACE.upper(), TRACE.lstrip("0")):
        assert len(list(read_text(log, "a", "sidecar", LineFilter(ids)))) == 2


def test_a_plain_line_that_names_the_trace_is_one() -> None:
    (line,) = read_text(f"oops in {TRACE}: boom\nelse\n[1]\n", "a", "app", LineFilter(TRACE))
    assert (line.entry, line.began) == ({"text": f"oops in {TRACE}: boom"}, "")


def test_a_run_is_asked_of_json_alone() -> None:
    log = sidecar("t", 1, path="/r") + '{"run_id": "rr"}\nr r r\n'
    assert len(list(read_text(log, "a", "sidecar", LineFilter(run_id="r")))) == 1


def test_the_meshs_own_markers_are_left_out() -> None:
    assert not list(
        read_text(sidecar("t", 1, direction="probe"), "a", "sidecar", LineFilter(TRACE))
    )


@pytest.mark.parametrize("strange", [{"ms": "soon"}, {"ms": 1e300}, {"time": 5}, {"time": None}])
def test_what_others_write_does_no_harm(strange: dict[str, object]) -> None:
    log = json.dumps({"trace_id": TRACE, "time": "2026-11-25T10:00:00Z", **strange})
    (line,) = sort_lines(read_text(log, "a", "app", LineFilter(TRACE)))
    assert line.writer == "a"


@pytest.mark.parametrize(
    "ids", [("", ""), ("ab", "r"), ("xyz", ""), ("0" * 16, ""), ("a" * 33, "")]
)
def test_what_is_no_question_is_refused(ids: tuple[str, str]) -> None:
    with pytest.raises(UsageError, match="--trace"):
        LineFilter(*ids)


def test_a_file_is_searched_and_its_unfinished_line_left(tmp_path: Path) -> None:
    file = tmp_path / "a.log"
    file.write_text("x\n" * 1000 + app("t", 1) + "y\n" * 1000 + app("t", 2) + app("t", 3)[:-1])
    result = list(read_file(file, "a", "app", LineFilter(TRACE)))
    assert [line.entry["ms"] for line in result] == [1, 2]
    file.write_text("")
    assert not list(read_file(file, "a", "app", LineFilter(TRACE)))
    assert not list(read_file(tmp_path / "none", "a", "app", LineFilter(TRACE)))
