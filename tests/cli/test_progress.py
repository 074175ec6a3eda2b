"""What is waited for is shown as the volume says, and nothing is said to nobody."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from meshproof.cli import progress
from meshproof.cli.output import Volume, set_volume, tell
from meshproof.progress import log, report_progress
from meshproof.traffic.load import Load


@pytest.fixture(autouse=True)
def usual() -> Iterator[None]:
    yield
    set_volume(Volume.USUAL)


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    set_volume(Volume.QUIET)
    with progress.shown("a mesh starts"):
        report_progress("svca is not ready")
        tell("live")
    assert capsys.readouterr() == ("", "")


def test_verbose_says_all_with_times(capsys: pytest.CaptureFixture[str]) -> None:
    set_volume(Volume.VERBOSE)
    with progress.shown("a mesh starts"):
        report_progress("svca is not ready")
        report_progress("svca is ready")
    report_progress("nobody asked")
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(" s  ")[2] for line in lines] == ["svca is not ready", "svca is ready"]


def test_elsewhere_the_last_word_comes_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with progress.shown("a mesh starts"):
        report_progress("quickly over")
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(progress, "PATIENCE", 0.01)
    said = ""
    with progress.shown("a mesh starts"):
        report_progress("svca is not ready: no answer")
        while "svca" not in said:
            said += capsys.readouterr().err
    assert "svca is not ready: no answer" in said


def test_who_does_not_listen_any_more_hurts_nobody() -> None:
    def gone(_line: str) -> None:
        raise BrokenPipeError

    with progress.heard(gone):
        report_progress("for nobody")
    assert log.handlers == []
    assert log.level == logging.NOTSET


def test_a_load_counts_what_is_new_alone(tmp_path: Path) -> None:
    locustfile = tmp_path / "locustfile.py"
    locustfile.touch()
    load = Load("http://127.0.0.1:1", locustfile=locustfile, folder=tmp_path)
    assert load.answered() == 0
    records: Path = vars(load)["_records"]
    for wanted in (1, 2, 3):
        with records.open("a") as out:
            out.write("{}\n")
        assert load.answered() == wanted
