"""``down`` of a mesh whose process could not delete its cluster, as where Docker has died."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from meshproof.cli.commands import down
from meshproof.cluster.state_dir import state_dir
from meshproof.errors import MeshproofError
from meshproof.host import registry

GONE = 2**22 + 1
"""Above the kernel's greatest process id."""


@pytest.fixture
def entry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SimpleNamespace:
    """A mesh whose process has ended by the time that it is looked for."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    entry = SimpleNamespace(pid=GONE, run_dir="", alive=False)

    def no_process(_pid: int) -> int:
        raise ProcessLookupError

    monkeypatch.setattr(os, "pidfd_open", no_process)
    monkeypatch.setattr(registry, "find", lambda _name: entry)
    monkeypatch.setattr(registry, "remove_stale", lambda: None)
    return entry


def leave_cluster(name: str) -> None:
    note = state_dir(name).note
    note.parent.mkdir(parents=True)
    note.write_text(json.dumps({"pid": GONE, "started": "1"}))


def test_a_cluster_that_was_not_deleted_is_an_error(
    entry: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_cluster("elsewhere")  # of another mesh, which was killed before
    monkeypatch.setattr(down, "_clean_up", lambda _entry: leave_cluster("three"))
    with pytest.raises(MeshproofError, match=r"could not delete kind cluster three: is Docker"):
        down.down("shop")


def test_nothing_left_is_nothing_said(
    entry: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    leave_cluster("elsewhere")
    down.down("shop")
    assert "mesh shop is down" in "".join(capsys.readouterr())
