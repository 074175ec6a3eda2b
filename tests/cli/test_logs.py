"""``logs --trace`` and ``--run``: one request's lines of everybody, and what is no question."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.fakes.mesh import FakeMesh

Cli = Any
LINE = {
    "time": "2026-11-25T10:00:00.250+00:00", "ms": 50.0, "method": "GET", "path": "/pay?amount=1",
    "status": 200, "trace_id": "ab54a98ceb1f0ad2", "run_id": "r1", "problem": "svcb: HTTP 502",
}  # fmt: skip


@pytest.fixture
def logged(fake: FakeMesh) -> FakeMesh:
    (fake.run_dir / "svca-1.log").write_text(json.dumps(LINE) + "\n")
    inner = {**LINE, "time": "2026-11-25T10:00:00.240+00:00", "ms": 10.0, "path": "/notify"}
    (fake.run_dir / "svca-2.log").write_text(json.dumps(inner) + "\n")
    return fake


@pytest.mark.parametrize("options", [("--trace", "ab54a98ceb1f0ad2"), ("--run", "r1")])
def test_lines_are_shown_in_order_with_who_wrote_them(
    logged: FakeMesh, cli: Cli, options: tuple[str, str]
) -> None:
    done = cli("logs", *options)
    rows = [line.split() for line in done.out.splitlines()]
    assert rows[0] == ["BEGAN", "WRITER", "PART", "REQUEST", "STATUS", "TOOK", "MESSAGE"]
    assert rows[1] == [
        "10:00:00.200", "svca-1", "app", "GET", "/pay", "200", "50", "ms", "svcb:", "HTTP", "502",
    ]  # fmt: skip
    assert rows[2][:5] == ["10:00:00.230", "svca-2", "app", "GET", "/notify"]


def test_as_json_they_are_whole(logged: FakeMesh, cli: Cli) -> None:
    result = json.loads(cli("logs", "--trace", "ab54a98ceb1f0ad2", "-o", "json").out)
    assert result[0]["entry"] == LINE
    assert [line["writer"] for line in result] == ["svca-1", "svca-2"]


def test_an_id_of_nobody_exits_1_and_says_so(logged: FakeMesh, cli: Cli) -> None:
    done = cli("logs", "--trace", "ffff")
    assert (done.code, done.out, done.err) == (1, "", "no log has a line of trace ffff\n")
    done = cli("logs", "--run", "r2", "-o", "json")
    assert (done.code, done.out, done.err) == (1, "[]\n", "no log has a line of run r2\n")


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        ((), "wanted one of WORKLOAD, --trace ID and --run ID"),
        (("svca", "--trace", "ab"), "wanted one of WORKLOAD, --trace ID and --run ID"),
        (("--trace", "ab", "--run", "r"), "wanted one of WORKLOAD, --trace ID and --run ID"),
        (("--trace", "no-id"), "'no-id' is not a trace id; wanted up to 32 of 0-9 and a-f"),
        (("--trace", "ab", "-f"), "-f is for a workload's log"),
        (("svca", "-o", "json"), "-o json is for --trace and --run"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    logged: FakeMesh, cli: Cli, argv: tuple[str, ...], why: str
) -> None:
    done = cli("logs", *argv)
    assert (done.code, done.out) == (2, "")
    assert why in done.err


def test_a_workload_s_logs(fake: FakeMesh, cli: Cli) -> None:
    (fake.run_dir / "svca-1.log").write_text("one\n")
    (fake.run_dir / "svca-2.log").write_text("two\n")
    assert cli("logs", "svca").out == "one\n"
    assert cli("logs", "both").out == "svca-1 | one\nsvca-2 | two\n"
