"""The one reader: every kind of input, and what cannot be read."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from meshproof.errors import Refused
from meshproof.mesh import STDIN, Input, Source
from meshproof.sources.sources import read_sources, read_stdin, try_read_sources


def test_files_folders_stdin_and_text_come_in_the_order_given(tmp_path: Path) -> None:
    for name in ("b.yml", "a.yaml", "c.txt", "deeper/d.yaml"):
        file = tmp_path / "folder" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    single = tmp_path / "single.json"
    single.write_text("single")
    folder = tmp_path / "folder"
    memory = Source("memory", "text")
    assert read_sources([memory, str(folder), single, "-"], stdin="piped") == (
        memory,
        Source(f"{folder}/a.yaml", "a.yaml"),
        Source(f"{folder}/b.yml", "b.yml"),
        Source(str(single), "single"),
        Source(STDIN, "piped"),
    )


def test_standard_input_may_be_a_stream_that_is_read_only_when_asked_for() -> None:
    stream = io.BytesIO("ü".encode())
    assert read_sources([Source("a", "b")], stdin=stream) == (Source("a", "b"),)
    assert read_sources(["-"], stdin=stream) == (Source(STDIN, "ü"),)


def test_every_input_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "latin.yaml").write_bytes(b"a: \xe9")
    inputs: list[Input] = [
        tmp_path / "empty",
        tmp_path / "latin.yaml",
        "none.yaml",
        "-",
        Source("a", ""),
    ]
    sources, problems = try_read_sources(inputs)
    assert sources == (Source("a", ""),)
    assert [str(problem) for problem in problems] == [
        f"{tmp_path}/empty: the folder holds no *.yaml or *.yml",
        f"{tmp_path}/latin.yaml: is not UTF-8 (byte 3)",
        "none.yaml: there is no such file or folder",
        "<stdin>: standard input was not given",
    ]
    with pytest.raises(Refused) as refused:
        read_sources(inputs)
    assert list(refused.value.problems) == problems


def test_standard_input_that_is_no_text_is_refused() -> None:
    with pytest.raises(Refused, match=r"<stdin>: is not UTF-8 \(byte 0\)"):
        read_stdin(io.BytesIO(b"\xff"))
