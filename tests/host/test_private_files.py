from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from meshproof.host import private_files


@pytest.fixture(autouse=True)
def _open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def test_a_file_is_the_owners_alone_whatever_the_umask_says(tmp_path: Path) -> None:
    private_files.write(tmp_path / "a", "x")
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "a").read_text() == "x"


def test_a_file_that_was_open_to_all_is_no_longer(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("longer than before")
    private_files.write(tmp_path / "a", "x")
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "a").read_text() == "x"


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        private_files.write(tmp_path / "a", "x")
    assert not (tmp_path / "elsewhere").exists()
