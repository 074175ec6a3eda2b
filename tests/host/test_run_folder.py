"""Where a run's folder is, who may have made it, and when it may be removed."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from meshproof.errors import MeshproofError
from meshproof.host import process_identity, run_folder
from tests.fakes.processes import dead_run_id


def test_is_private_short_and_says_whose_it_is(runtime_dir: Path) -> None:
    run_id = process_identity.new_run_id()
    folder = run_folder.create(run_id)
    assert folder == runtime_dir / "meshproof" / run_id
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
    marker = run_folder.read_marker(folder)
    assert marker is not None
    assert (marker.run_id, marker.pid) == (run_id, os.getpid())
    assert not marker.owner_dead()


@pytest.mark.parametrize("runtime", ["", "relative", "/nowhere", "/tmp/" + "x" * 80])
def test_falls_back_to_tmp(runtime: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
    assert run_folder.bases() == (Path(f"/tmp/meshproof-{os.getuid()}"),)
    longest = run_folder.bases()[0] / process_identity.new_run_id() / ("n" * 48)
    assert len(os.fsencode(longest)) <= run_folder.SOCKET_PATH_LIMIT


def test_a_link_or_an_open_folder_at_its_place_is_refused(runtime_dir: Path) -> None:
    base = runtime_dir / "meshproof"
    elsewhere = runtime_dir / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    base.symlink_to(elsewhere)
    with pytest.raises(MeshproofError, match="a symbolic link is not followed"):
        run_folder.create(process_identity.new_run_id())
    assert list(elsewhere.iterdir()) == []
    base.unlink()
    base.mkdir()
    base.chmod(0o755)
    with pytest.raises(MeshproofError, match="mode 0755, wanted 0700"):
        run_folder.create(process_identity.new_run_id())


def test_only_its_own_run_removes_it(runtime_dir: Path) -> None:
    run_id, other = process_identity.new_run_id(), process_identity.new_run_id()
    folder, neighbour = run_folder.create(run_id), run_folder.create(other)
    run_folder.remove(folder, other)
    assert folder.exists()
    run_folder.remove(folder, run_id)
    assert not folder.exists()
    assert neighbour.exists()
    run_folder.remove(neighbour, other)
    assert not neighbour.parent.exists(), "the last one out takes the base with it"


def test_abandoned_is_what_the_dead_left(runtime_dir: Path) -> None:
    mine = run_folder.create(process_identity.new_run_id())
    unfinished = mine.parent / dead_run_id()
    unfinished.mkdir()
    foreign = mine.parent / "not-ours-at-all-by-its-name"
    foreign.mkdir()
    assert list(run_folder.find_abandoned()) == [unfinished]


def test_a_dead_owner_is_told_from_a_reused_pid_another_boot_and_another_container() -> None:
    mine = run_folder.Marker.of_this_process("a-b-c")
    assert not mine.owner_dead()
    assert replace(mine, start_time=mine.start_time - 1).owner_dead()
    assert replace(mine, boot_id="an earlier boot").owner_dead()
    elsewhere = replace(mine, pid_namespace="pid:[1]", start_time=0)
    assert not elsewhere.owner_dead(), "processes of another container cannot be seen from here"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"run_id": "a"}'])
def test_a_broken_marker_is_none(text: str, runtime_dir: Path) -> None:
    folder = run_folder.create(process_identity.new_run_id())
    marker = json.loads((folder / run_folder.MARKER).read_text())
    assert marker == asdict(run_folder.Marker.of_this_process(folder.name))
    (folder / run_folder.MARKER).write_text(text)
    assert run_folder.read_marker(folder) is None
