"""Names of meshes: taken, found, given back, and freed when their process is dead."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from meshproof.errors import MeshproofError, UsageError
from meshproof.host import registry

pytestmark = pytest.mark.usefixtures("runtime_dir")


def put(entry: registry.RunningMesh) -> Path:
    path = registry.state_folder() / f"{entry.name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(asdict(entry)))
    return path


def test_a_name_is_taken_published_found_and_given_back(runtime_dir: Path) -> None:
    entry = registry.reserve("shop")
    assert registry.find("shop").control_socket == ""
    registry.publish(replace(entry, run_dir=str(runtime_dir), control_socket="/run/c"))
    assert (runtime_dir / "named").read_text() == str(runtime_dir / "state" / "shop.json")
    assert registry.find("shop").control_socket == "/run/c"
    assert [e.name for e in registry.list_running()] == ["shop"]
    registry.release("shop")
    assert registry.list_running() == ()


def test_a_name_in_use_says_how_to_end_it() -> None:
    entry = registry.reserve("shop")
    with pytest.raises(UsageError) as refusal:
        registry.reserve("shop")
    assert f"process {entry.pid}" in str(refusal.value)
    assert "`meshproof down --name shop`" in str(refusal.value)
    assert refusal.value.exit_code == 2


def test_a_dead_holder_holds_nothing() -> None:
    entry = registry.reserve("shop")
    path = put(replace(entry, start_time=entry.start_time - 1))
    with pytest.raises(UsageError, match="no mesh named shop is running; start one: meshproof up"):
        registry.find("shop")
    assert registry.find_stale() == (path,)
    assert registry.reserve("shop") == entry


def test_another_process_gives_nothing_back() -> None:
    entry = registry.reserve("shop")
    path = put(replace(entry, pid=1))
    registry.release("shop")
    assert path.exists()


def test_unknown_name_lists_what_runs() -> None:
    registry.reserve("shop")
    registry.reserve("till")
    with pytest.raises(UsageError, match="no mesh named stop is running; running: shop, till"):
        registry.find("stop")


@pytest.mark.parametrize("name", ["", "-a", "a/b", "..", "A", "x" * 41, "a\n"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="is not a name for a mesh"):
        registry.reserve(name)
    with pytest.raises(UsageError, match="no mesh named"):
        registry.find(name)


def test_stale_and_broken_entries_are_removed_and_living_ones_stay() -> None:
    living = registry.reserve("living")
    dead = put(replace(living, name="dead", start_time=0))
    broken = put(replace(living, name="broken"))
    broken.write_text("{")
    assert set(registry.remove_stale()) == {dead, broken}
    assert registry.find("living") == living


def test_a_folder_that_cannot_be_made_is_named(
    monkeypatch: pytest.MonkeyPatch, runtime_dir: Path
) -> None:
    (runtime_dir / "file").write_text("")
    monkeypatch.setenv("MESHPROOF_STATE", str(runtime_dir / "file" / "state"))
    with pytest.raises(MeshproofError, match="set MESHPROOF_STATE to a folder"):
        registry.reserve("shop")
