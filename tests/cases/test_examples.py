"""The examples without Python: their cases pass, and notice every altered field."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ("yaml-only", "go-service")


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_altered_field_is_noticed(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "meshproof.cli", "test", "--mutate", "-o", "json"],
        cwd=ROOT / "examples" / name,
        env=environment(),
        capture_output=True,
        check=False,
    )
    report = json.loads(done.stdout)
    assert report["passed"]
    assert report["coverage"]["unvisited"] == []
    assert report["mutation"]["untested"] == []


@pytest.mark.long
@pytest.mark.skipif(shutil.which("go") is None, reason="go is not installed")
def test_go_runs_the_cases_as_subtests(tmp_path: Path) -> None:
    command = tmp_path / "bin" / "meshproof"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m meshproof.cli "$@"\n')
    command.chmod(0o755)
    paths = {"PATH": f"{command.parent}:{os.environ['PATH']}", "GOCACHE": str(tmp_path / "cache")}
    copy = shutil.copytree(ROOT / "examples" / "go-service", tmp_path / "project")
    env = {
        **environment(),
        **paths,
        "GOFLAGS": "-mod=mod",
        "GOPROXY": "off",
        "GOTOOLCHAIN": "local",
    }
    go = ["go", "test", "-count=1", "./..."]
    done = subprocess.run(go, cwd=copy, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    rules = copy / "rules" / "greeter.yaml"
    rules.write_text(rules.read_text().replace("percentage: {value: 10}", "percentage: {value: 9}"))
    done = subprocess.run(go, cwd=copy, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "mirror: wanted greeter v2 (10 %); found default/greeter-v2 v2 (9 %)" in done.stdout
