"""Folders of loads whose process was killed are swept; those of living ones are not."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from meshproof.host import load_folders
from meshproof.host.run_folder import MARKER
from meshproof.host.sweep import find_leftovers, sweep

DIE = """
import os, signal
from meshproof.host import load_folders
folder = load_folders.create()
print(folder.name, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's temporary folder, for child processes too."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_killed_process_s_folder_is_swept_and_a_living_one_s_is_not(temporary: Path) -> None:
    with load_folders.create() as own:
        done = subprocess.run(
            [sys.executable, "-c", DIE], capture_output=True, text=True, timeout=300, check=False
        )
        dead = Path(done.stdout.strip())
        assert dead.parent == temporary
        (dead / "requests.ndjson").write_text("{}\n")
        assert dead in find_leftovers().folders
        assert dead in sweep().folders
        assert not dead.exists()
        assert Path(own).is_dir()
    assert not list(temporary.iterdir()), "and the temporary folder itself stays"


def test_what_may_be_another_s_stays(temporary: Path) -> None:
    (temporary / "meshproof-load-unmarked").mkdir()
    with load_folders.create() as own:
        marker = json.loads((Path(own) / MARKER).read_text())
        elsewhere = temporary / "meshproof-load-container"
        elsewhere.mkdir()
        text = json.dumps({**marker, "pid": 2**22 + 1, "pid_namespace": "pid:[1]"})
        (elsewhere / MARKER).write_text(text)
        (temporary / "meshproof-load-link").symlink_to(elsewhere)
        assert list(load_folders.find_abandoned()) == []
