"""The workflow: both meshes, by make targets that are there, with everything pinned."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from meshproof.cluster.tools import ISTIOCTL

ROOT = Path(__file__).parents[1]
WORKFLOW: dict[Any, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yaml").read_text())
JOBS: dict[str, Any] = WORKFLOW["jobs"]
WHEN = WORKFLOW[True]  # YAML 1.1 reads the key ``on`` so

PREPARES = re.compile("istioctl|user namespaces")


def runs(job: str) -> list[str]:
    """What its steps run, less those that prepare the runner, and the last look."""
    steps = [s for s in JOBS[job]["steps"] if "run" in s]
    return [s["run"] for s in steps if not PREPARES.search(s.get("name", ""))]


def test_what_is_checked_is_said_by_targets_that_are_there() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for job in JOBS:
        for command in runs(job):
            if command == "git diff --exit-code":
                continue
            match = re.fullmatch(r"make ([a-z0-9-]+)", command)
            assert match, command
            assert re.search(rf"^{match[1]}:", makefile, re.MULTILINE), command


def test_it_runs_what_a_contributor_runs() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    wanted = re.findall(r"^(?:if .*; then )?(make [a-z0-9-]+)", script, re.MULTILINE)
    assert "make e2e-proxy" in wanted
    assert wanted
    assert set(wanted) <= set(runs("embedded"))


def test_actions_are_pinned_by_full_version() -> None:
    used = [s["uses"] for job in JOBS.values() for s in job["steps"] if "uses" in s]
    assert used
    assert [u for u in used if not re.fullmatch(r"[\w-]+/[\w-]+@v\d+\.\d+\.\d+", u)] == []
    assert all(re.fullmatch(r"ubuntu-\d\d\.\d\d", job["runs-on"]) for job in JOBS.values())


def test_embedded_on_every_push_and_kind_nightly_or_on_demand() -> None:
    assert {"push", "schedule", "workflow_dispatch"} <= set(WHEN)
    assert JOBS["embedded"]["if"] == "github.event_name != 'schedule'"
    kind = JOBS["kind"]
    assert set(re.findall(r"'(\w+)'", kind["if"])) == {"schedule", "workflow_dispatch"}
    assert kind["env"]["MESH"] == "kind"
    assert "make e2e" in runs("kind")


def test_the_istioctl_is_the_tested_one() -> None:
    assert JOBS["kind"]["env"]["ISTIO"] == ISTIOCTL.tested


def test_it_may_only_read() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
