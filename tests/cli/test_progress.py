"""What is waited for is shown as the verbosity says, and nothing is said to nobody."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from meshproof.cli import progress
from meshproof.cli.output import Verbosity, print_info, set_verbosity
from meshproof.progress import log, report_progress
from meshproof.traffic.load import Load


@pytest.fixture(autouse=True)
def usual() -> Iterator[None]:
    yield
    set_verbosity(Verbosity.NORMAL)


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    set_verbosity(Verbosity.QUIET)
    with progress.show_progress("a mesh starts"):
        report_progress("svca is not ready")
        print_info("live")
    assert capsys.readouterr() == ("", "")


def test_verbose_says_all_with_times(capsys: pytest.CaptureFixture[str]) -> None:
    set_verbosity(Verbosity.VERBOSE)
    with progress.show_progress("a mesh starts"):
        report_progress("svca is not ready")
        report_progress("svca is ready")
    report_progress("nobody asked")
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(" s  ")[2] for line in lines] == ["svca is not ready", "svca is ready"]


def test_elsewhere_the_last_word_comes_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with progress.show_progress("a mesh starts"):
        report_progress("quickly over")
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(progress, "INTERVAL", 0.01)
    output = ""
    with progress.show_progress("a mesh starts"):
        report_progress("svca is not ready: no answer")
        while "svca" not in output:
            output += capsys.readouterr().err
    assert "svca is not ready: no answer" in output


def test_who_does_not_listen_any_more_hurts_nobody() -> None:
    def broken_pipe(_line: str) -> None:
        raise BrokenPipeError

    with progress.listen(broken_pipe):
        report_progress("for nobody")
    assert log.handlers == []
    assert log.level == logging.NOTSET


def test_a_load_counts_what_is_new_alone(tmp_path: Path) -> None:
    locustfile = tmp_path / "locustfile.py"
    locustfile.touch()
    load = Load("http://127.0.0.1:1", locustfile=locustfile, folder=tmp_path)
    assert load.progress() == 0
    records: Path = vars(load)["_records"]
    for expected in (1, 2, 3):
        with records.open("a") as out:
            out.write("{}\n")
        assert load.progress() == expected
