"""``dump``: the folder is the caller's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.fakes.mesh import FakeMesh

Cli = Any


def test_dump_goes_to_the_callers_folder(fake: FakeMesh, cli: Cli, folder: Path) -> None:
    assert cli("dump", "evidence").code == 0
    assert (folder / "evidence" / "pid").exists()
    assert cli("dump", "evidence").err.startswith(f"error: {folder}/evidence: File exists")
