"""``sweep``: what killed meshes have left."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.fakes.mesh import FakeMesh

Cli = Any


def test_sweep_with_nothing_left(fake: FakeMesh, cli: Cli, runtime_dir: Path) -> None:
    stale = runtime_dir / "state" / "old.json"
    stale.write_text(json.dumps({"name": "old", "pid": 1, "start_time": 5}))
    assert cli("sweep").out == "forgot mesh old\n"
    assert cli("sweep").err == "nothing was left\n"
    assert fake.run_dir.exists(), "what runs is not touched"
    assert json.loads(cli("sweep", "-o", "json").out) == {
        "processes": [], "folders": [], "names": [], "clusters": [],
    }  # fmt: skip
