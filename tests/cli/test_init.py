"""`meshproof init` and `check` on manifests of somebody's own; no mesh."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

Cli = Any
APP = """\
apiVersion: v1
kind: Pod
metadata: {name: one}
spec: {containers: [{name: c, image: "a:1", command: [sh, -c, work]}]}
"""
BAD = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: two}\nspec: {container: []}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "k8s").mkdir()
    (tmp_path / "k8s" / "app.yaml").write_text(APP)
    return tmp_path


def test_it_writes_what_check_takes(cli: Cli, folder: Path) -> None:
    done = cli("init")
    assert (done.code, done.out) == (0, "meshproof.yaml written; 0 TODOs left\n")
    assert 'manifests: ["k8s"]' in (folder / "meshproof.yaml").read_text()
    assert cli("check").out == "1 resource is fine\n"


def test_it_never_writes_over_a_file(cli: Cli, folder: Path) -> None:
    (folder / "meshproof.yaml").write_text("mine")
    done = cli("init", "k8s")
    assert (done.code, (folder / "meshproof.yaml").read_text()) == (2, "mine")
    assert "never written over" in done.err


def test_paths_count_from_the_file_that_is_written(cli: Cli, folder: Path) -> None:
    (folder / "there").mkdir()
    assert cli("init", "k8s/app.yaml", "--project", "there/m.yaml").code == 0
    assert 'manifests: ["../k8s/app.yaml"]' in (folder / "there" / "m.yaml").read_text()


def test_what_cannot_be_read_is_named_and_the_rest_is_written(cli: Cli, folder: Path) -> None:
    (folder / "k8s" / "app.yaml").write_text(APP + BAD)
    done = cli("init")
    assert (done.code, done.out) == (
        0,
        "meshproof.yaml written; 0 TODOs left, and 1 problem in the manifests\n",
    )
    assert "warning: k8s/app.yaml:9: Pod two: spec.container: is not a field of PodSpec" in done.err


@pytest.mark.parametrize("arguments", [[], ["nowhere"]])
def test_without_manifests(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    done = cli("init", *arguments)
    assert (done.code, (tmp_path / "meshproof.yaml").exists()) == (2, False)


def test_check_names_images_beside_what_cannot_be_read(cli: Cli, folder: Path) -> None:
    (folder / "k8s" / "app.yaml").write_text(APP.replace("[sh,", "[no-such-program,") + BAD)
    (folder / "meshproof.yaml").write_text("manifests: [k8s]\n")
    done = cli("check")
    output = done.err.splitlines()
    assert done.code == 2
    assert any("image a:1 has no local command" in line for line in output)
    assert any("spec.container: is not a field" in line for line in output)


def test_a_chart_is_read_from_standard_input_and_each_todo_has_its_line(
    cli: Cli, folder: Path
) -> None:
    """As from ``helm template chart | meshproof init -``."""
    chart = APP.replace("command: [sh, -c, work]", "ports: [{containerPort: 8080}]")
    done = cli("init", "-", stdin=chart.encode())
    assert (done.code, done.out) == (0, "meshproof.yaml written; 1 TODO left\n")
    assert (folder / "manifests.yaml").read_text() == chart
    text = (folder / "meshproof.yaml").read_text().splitlines()
    (line,) = [n for n, t in enumerate(text, 1) if "TODO" in t and not t.lstrip().startswith("#")]
    assert done.err.startswith(f"meshproof.yaml:{line}: ")
    again = cli("init", "-", "--project", "other.yaml", stdin=chart.encode())
    assert again.code == 2
    assert "manifests.yaml is there already" in again.err
