"""``check``: where files come from, and what its last line says of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Cli

ROUTE = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: svcb}
spec: {hosts: [svcb], http: [{route: [{destination: {host: svcb}}]}]}
"""
JOB = """\
apiVersion: batch/v1
kind: Job
metadata: {name: web}
spec: {}
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: svcb}
spec: {selector: {app: svcb}, ports: [{name: http, port: 80}]}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in (("route", ROUTE), ("job", JOB), ("service", SERVICE)):
        (tmp_path / f"{name}.yaml").write_text(text)
    return tmp_path


def write_project(folder: Path, *manifests: str) -> None:
    (folder / "meshproof.yaml").write_text(f"manifests: [{', '.join(manifests)}]\n")


def test_alone_it_says_that_hosts_were_not_looked_up(cli: Cli) -> None:
    done = cli("check", "-f", "route.yaml")
    assert done.code == 0
    assert done.out == (
        "1 resource is fine; no meshproof.yaml is here, so that hosts and subsets were not looked"
        " up\n"
    )


def test_what_is_warned_of_is_not_called_fine(cli: Cli, folder: Path) -> None:
    write_project(folder, "job.yaml")
    done = cli("check", "-f", "route.yaml")
    assert done.code == 0
    assert "warning: " in done.err
    assert done.out == "1 resource would be applied; 2 warnings (refused by --strict)\n"
    assert cli("check", "--strict", "-f", "route.yaml").code == 2


def test_a_kind_that_is_passed_over_is_named(cli: Cli, folder: Path) -> None:
    write_project(folder, "service.yaml", "job.yaml")
    out = "2 resources are fine; without effect here: Job web\n"
    assert cli("check").out == out


def test_files_that_a_shell_spelled_out_are_all_read(cli: Cli, folder: Path) -> None:
    write_project(folder, "job.yaml")
    done = cli("check", "-f", "service.yaml", "route.yaml")  # -f *.yaml
    assert (done.code, done.out) == (0, "2 resources are fine\n")


def test_a_project_is_named_by_its_folder_too(cli: Cli, folder: Path) -> None:
    write_project(folder, "service.yaml")
    assert cli("check", "--project", str(folder)).out == "1 resource is fine\n"


def test_files_alone_are_checked_without_the_translator(tmp_path: Path) -> None:
    """It is most of the start; a check of files before a commit is to be immediate."""
    (tmp_path / "rule.yaml").write_text((ROOT / "rules/svcb_by_header.yaml").read_text())
    code = (
        "import sys; sys.argv = ['meshproof', 'check', 'rule.yaml'];"
        "from meshproof.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "slow = ('meshproof.translate', 'meshproof.embedded', 'google', 'grpc')\n"
        "print([m for m in sys.modules if m.startswith(slow)])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, check=True, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "[]"
