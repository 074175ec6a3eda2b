"""The wheel: it holds what a user runs, and runs in an empty environment outside the repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from the files that git tracks."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    archive = subprocess.run(
        ["git", "stash", "create"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    tar = subprocess.run(
        ["git", "archive", archive or "HEAD"], cwd=ROOT, capture_output=True, check=True
    )
    subprocess.run(["tar", "-x"], cwd=source, input=tar.stdout, check=True)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    command += ["--no-build-isolation", "--disable-pip-version-check", "-w", str(folder), "."]
    subprocess.run(command, cwd=source, check=True)
    (file,) = folder.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def names(wheel: Path) -> list[str]:
    """Paths in it."""
    with zipfile.ZipFile(wheel) as opened:
        return opened.namelist()


def test_it_holds_nothing_but_the_package(names: list[str]) -> None:
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"meshproof"}


def test_it_holds_every_module_and_every_file_that_is_read_as_data(names: list[str]) -> None:
    files = subprocess.run(
        ["git", "ls-files", "meshproof"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert [name for name in files.stdout.split() if name not in names] == []


MOST, MOST_WITH_BYTECODE = 190, 215
"""Megabytes that an installation may take: 182 in December 2026, 115 of which are Envoy's folder,
and 206 where pip compiles everything at once; without, Python compiles what is used."""


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``bin`` of an empty environment outside the repository, with the wheel in it."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", str(folder / "env")], check=True)
    programs = folder / "env" / "bin"
    pip = [str(programs / "python"), "-m", "pip", "--disable-pip-version-check", "install"]
    done = subprocess.run(
        [*pip, "--quiet", str(wheel)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1]
        pytest.skip(f"the packages that it needs cannot be had here: {reason}")
    return programs


def run(programs: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return subprocess.run(
        [str(programs / "meshproof"), *arguments],
        cwd=folder,
        env={**env, "MESHPROOF_STATE": str(folder / "state"), "MESHPROOF_NAME": "wheel"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_installation_is_small(installed: Path) -> None:
    (packages,) = installed.parent.glob("lib/python*/site-packages")
    without = {"pip", "setuptools", "pkg_resources", "_distutils_hack"}
    files = [f for f in packages.rglob("*") if f.is_file() and not f.is_symlink()]
    counted = [f for f in files if f.relative_to(packages).parts[0].split("-")[0] not in without]
    sizes = {f: f.stat().st_size / 1e6 for f in counted}
    assert sum(sizes.values()) < MOST_WITH_BYTECODE
    assert sum(size for f, size in sizes.items() if f.suffix != ".pyc") < MOST
    names = {p.name.split("-")[0].lower() for p in packages.glob("*.dist-info")}
    assert not {"scipy", "numpy", "locust", "plotly", "pytest", "gevent"} & names


def test_a_project_of_yaml_alone(installed: Path, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples" / "yaml-only", tmp_path, dirs_exist_ok=True)
    done = run(installed, tmp_path, "test", "-s")
    assert (done.returncode, done.stderr) == (0, "")
    assert "20 cases: 20 passed" in done.stdout
    (tmp_path / "first").mkdir()
    done = run(installed, tmp_path, "test", "init", "k8s", "rules", "-t", "first")
    assert done.returncode == 0, done.stderr
    assert run(installed, tmp_path, "test", "-t", "first").returncode == 0
    assert run(installed, tmp_path, "check", "-f", "rules").returncode == 0
    done = run(installed, tmp_path, "diff", "-f", "k8s", "rules/door.yaml", "rules/reviews.yaml")
    assert (done.returncode, done.stderr) == (1, ""), "they are not alike"


def test_the_shop_runs_by_it(installed: Path, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples" / "shop", tmp_path, dirs_exist_ok=True)
    up = run(installed, tmp_path, "up", "-d")
    try:
        assert up.returncode == 0, up.stderr
        applied = run(installed, tmp_path, "apply", "-f", "rules/catalogue_v1_90_v2_10.yaml")
        assert applied.returncode == 0, applied.stderr
        answer = run(installed, tmp_path, "curl", "--from", "storefront", "http://catalogue.stock/")
        assert answer.returncode == 0, answer.stderr
    finally:
        down = run(installed, tmp_path, "down")
    assert down.returncode == 0, down.stderr


def test_a_verb_whose_extra_is_missing_says_the_command(installed: Path, tmp_path: Path) -> None:
    done = run(installed, tmp_path, "load")
    assert done.returncode == 2
    assert "pip install 'meshproof[load]'" in done.stderr
