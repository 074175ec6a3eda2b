"""``sweep``: what killed meshes have left."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from meshproof.host.sweep import Leftovers
from tests.fakes.mesh import FakeMesh

Cli = Any


def test_sweep_forgets_a_dead_mesh_and_leaves_the_living(
    fake: FakeMesh, cli: Cli, runtime_dir: Path
) -> None:
    """The machine may hold what other runs, killed with their supervisors, have left; a sweep takes
    that too."""
    stale = runtime_dir / "state" / "old.json"
    stale.write_text(json.dumps({"name": "old", "pid": 1, "start_time": 5}))
    assert "forgot mesh old" in cli("sweep").out.splitlines()
    assert fake.run_dir.exists(), "what runs is not touched"
    done = json.loads(cli("sweep", "-o", "json").out)
    assert set(done) == {"processes", "folders", "names", "clusters"}
    assert (done["names"], done["clusters"]) == ([], [])
    assert str(fake.run_dir) not in done["folders"]


def test_sweep_with_nothing_left(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("meshproof.cli.commands.sweep.sweep_host", Leftovers)
    assert (cli("sweep").out, cli("sweep").err) == ("", "nothing was left\n")
