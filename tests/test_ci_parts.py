"""What other people's CI uses: the action, the hooks, the image, kubectl's plugin, completion."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from tests.cases.mesh_files import MANIFESTS, TO_V1, case, rule

ROOT = Path(__file__).parents[1]
ACTION: Any = yaml.safe_load((ROOT / "action.yml").read_text())
HOOKS: Any = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def meshproof(folder: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "meshproof.cli", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "mesh.yaml").write_text(MANIFESTS + rule(TO_V1))
    (tmp_path / "echo_test.yaml").write_text(
        "manifests: [mesh.yaml]\n" + case("{workload: echo-v1}")
    )
    return tmp_path


def run_script(script: str, folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """As a runner does: in bash, which stops at the first error; ``pip`` and ``python`` only say
    that they were called."""
    programs = folder / ".bin"
    programs.mkdir(exist_ok=True)
    for name, text in (
        ("meshproof", f'exec {sys.executable} -m meshproof.cli "$@"'),
        ("python", 'echo python "$@"'),
        ("pip", 'echo pip "$@"'),
    ):
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)
    path = f"{programs}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PATH": path, **env},
        capture_output=True,
        text=True,
        check=False,
    )


def counts(report: Path) -> tuple[str | None, str | None]:
    """Tests and failures of JUnit's only suite."""
    (suite,) = ET.parse(report).getroot().findall("testsuite")
    return suite.get("tests"), suite.get("failures")


def test_the_actions_steps_run_as_a_runner_runs_them(project: Path) -> None:
    install, judge = (s["run"] for s in ACTION["runs"]["steps"] if "run" in s)
    for version, package in (("", "/action"), ("0.1.0", "meshproof==0.1.0")):
        done = run_script(install, project, VERSION=version, ACTION="/action")
        assert done.stdout == f"python -m pip install --quiet --no-compile {package}\n"
    done = run_script(judge, project, ARGS="-f mesh.yaml -s", REPORT="reports/r.xml")
    assert (done.returncode, done.stderr, done.stdout.strip()) == (0, "", "")
    assert counts(project / "reports" / "r.xml") == ("1", "0")
    text = (project / "echo_test.yaml").read_text()
    (project / "echo_test.yaml").write_text(text.replace("echo-v1}", "echo-v2}"))
    done = run_script(judge, project, ARGS="-f mesh.yaml", REPORT="r.xml")
    assert done.returncode == 1
    assert done.stdout.startswith("::error file=echo_test.yaml,line=2,")


def test_gitlabs_job_runs_and_leaves_its_report(project: Path) -> None:
    page = (ROOT / "docs" / "testing-without-python.md").read_text()
    job = yaml.safe_load(page.partition("GitLab, with")[2].partition("```yaml")[2].split("```")[0])
    for name in ("rules", "tests"):
        (project / name).mkdir()
    (project / "mesh.yaml").rename(project / "rules" / "mesh.yaml")
    cases = (project / "echo_test.yaml").read_text().replace("[mesh", "[../rules/mesh")
    (project / "echo_test.yaml").rename(project / "tests" / "echo_test.yaml").write_text(cases)
    done = run_script("\n".join(job["rules"]["script"]), project)
    assert done.returncode == 0, done.stderr
    assert "1 case: 1 passed" in done.stdout
    report = project / job["rules"]["artifacts"]["reports"]["junit"]
    assert counts(report) == ("1", "0")


def test_the_action_is_composite_and_pinned() -> None:
    assert ACTION["runs"]["using"] == "composite"
    uses = [s["uses"] for s in ACTION["runs"]["steps"] if "uses" in s]
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@v\d+\.\d+\.\d+", u) for u in uses)
    assert all(s.get("shell") == "bash" for s in ACTION["runs"]["steps"] if "run" in s)


def test_inputs_reach_the_shell_as_variables_alone() -> None:
    """An input that stands in a script is run as one."""
    assert all("${{" not in s.get("run", "") for s in ACTION["runs"]["steps"])


@pytest.mark.parametrize("hook", HOOKS, ids=lambda h: str(h["id"]))
def test_the_hooks_run(hook: Any, project: Path) -> None:
    files = [] if hook.get("pass_filenames") is False else ["mesh.yaml"]
    done = meshproof(project, *shlex.split(hook["entry"])[1:], *files)
    assert done.returncode == 0, done.stderr


def test_the_check_hook_leaves_cases_to_the_test_hook() -> None:
    (check,) = [h for h in HOOKS if h["id"] == "meshproof-check"]
    assert re.search(check["exclude"], "rules/tests/cart_test.yaml")
    assert not re.search(check["exclude"], "rules/cart.yaml")


def test_the_image_has_a_glibc_no_root_and_the_command() -> None:
    lines = DOCKERFILE.splitlines()
    assert "ARG BASE=python:3.12-slim" in lines
    assert {line.split()[1] for line in lines if line.startswith("FROM")} == {"${BASE}"}
    assert "USER 65532" in lines
    assert 'ENTRYPOINT ["meshproof"]' in lines
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    needed = [line.removeprefix("!") for line in ignored if line.startswith("!")]
    assert [name for name in needed if not (ROOT / name).exists()] == ["wheelhouse"]


def test_kubectl_finds_it_by_name() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert scripts["kubectl-meshproof"] == scripts["meshproof"]


def test_completion_knows_every_command(project: Path) -> None:
    env = {"_MESHPROOF_COMPLETE": "complete_bash", "COMP_WORDS": "meshproof ex", "COMP_CWORD": "1"}
    code = "import sys; sys.argv[0] = 'meshproof'; from meshproof.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert set(done.stdout.split()) == {"exec", "explain"}
