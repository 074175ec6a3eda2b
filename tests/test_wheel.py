"""The wheel holds what a user runs: no developer's tools, no proofs, no fakes of tests."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Paths in a wheel built from the files that git tracks."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    archive = subprocess.run(
        ["git", "stash", "create"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    tar = subprocess.run(
        ["git", "archive", archive or "HEAD"], cwd=ROOT, capture_output=True, check=True
    )
    subprocess.run(["tar", "-x"], cwd=source, input=tar.stdout, check=True)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    command += ["--no-build-isolation", "--disable-pip-version-check", "-w", str(folder), "."]
    subprocess.run(command, cwd=source, check=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        return opened.namelist()


def test_it_holds_nothing_but_the_package(names: list[str]) -> None:
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"meshproof"}


def test_it_holds_every_module_and_every_file_that_is_read_as_data(names: list[str]) -> None:
    files = subprocess.run(
        ["git", "ls-files", "meshproof"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert [name for name in files.stdout.split() if name not in names] == []
