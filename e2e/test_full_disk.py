"""A full disk is named with its remedy, when a mesh starts and later; nothing of it remains."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.support.tiny import build_mesh, nothing_remains, ready
from meshproof.errors import MeshproofError

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        os.environ.get("MESH", "embedded") != "embedded", reason="about local processes"
    ),
]


@pytest.fixture
def small_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The run folders' disk, of 512 KiB."""
    disk = Path(tempfile.mkdtemp(prefix="mp-"))
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k,mode=0700", "tmpfs", str(disk)]
    try:
        if subprocess.run(mount, check=False, capture_output=True).returncode:
            pytest.skip("only root can mount a small disk")
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(disk))
        try:
            yield disk
        finally:
            subprocess.run(["umount", str(disk)], check=True)
    finally:
        disk.rmdir()


def fill(disk: Path) -> Path:
    """Fill the disk; returns the file that does."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as out, contextlib.suppress(OSError):
        while True:
            out.write(bytes(4096))
    return filler


FULL = r"No space left on device; .*XDG_RUNTIME_DIR"


def test_a_disk_that_is_full_at_the_start(small_disk: Path) -> None:
    filler = fill(small_disk)
    mesh = build_mesh("full")
    with pytest.raises(MeshproofError, match=FULL):
        mesh.up()
    assert nothing_remains(mesh)
    filler.unlink()
    assert not list(small_disk.rglob("*.json"))


def test_a_disk_that_fills_up_later(small_disk: Path) -> None:
    mesh = build_mesh("filling")
    try:
        mesh.up()
        filler = fill(small_disk)
        with pytest.raises(MeshproofError, match=FULL):
            mesh.scale("web", 3)
        assert len(ready(mesh)) == 2
        filler.unlink()
        mesh.scale("web", 3)
        assert len(ready(mesh)) == 3
    finally:
        mesh.down()
    assert not any(small_disk.iterdir())
