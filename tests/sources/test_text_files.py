from __future__ import annotations

import io
from pathlib import Path

import pytest

from meshproof.errors import Refused
from meshproof.model.reader import read_resources
from meshproof.sources import text_files


def test_a_text_that_fits_is_read_without_its_mark(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbfa: \xc3\xa9")
    assert text_files.read_text(tmp_path / "a") == "a: é"
    assert text_files.read_stream(io.BytesIO(b"x" * text_files.LIMIT)) == "x" * text_files.LIMIT


def test_one_that_does_not_fit_is_refused_by_name() -> None:
    with pytest.raises(Refused, match="/dev/zero: cannot be read: it has more than 16 MB; split"):
        read_resources(["/dev/zero"])
