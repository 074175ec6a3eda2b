"""Kustomize folders stand for what they build, and say why they cannot be built."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.errors import Refused
from meshproof.mesh import Source
from meshproof.sources.sources import read_sources

BUILT = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"


def kustomize_folder(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> str:
    """A Kustomize folder, and a PATH on which ``kubectl`` runs this script."""
    (folder / "k").mkdir()
    (folder / "k" / "kustomization.yaml").write_text("resources: [a.yaml]")
    (folder / "k" / "a.yaml").write_text("not: an object")
    (folder / "bin").mkdir()
    if script:
        (folder / "bin" / "kubectl").write_text(f"#!/bin/sh\n{script}\n")
        (folder / "bin" / "kubectl").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder / "bin"))
    return str(folder / "k")


def test_a_kustomize_folder_is_what_kubectl_builds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "built.yaml").write_text(BUILT)
    script = f'[ "$1" = kustomize ] && while read -r l; do echo "$l"; done < {tmp_path}/built.yaml'
    folder = kustomize_folder(tmp_path, monkeypatch, script)
    assert read_sources([folder]) == (Source(f"`kubectl kustomize {folder}`", BUILT),)


@pytest.mark.parametrize(
    ("script", "found", "remedy"),
    [
        ("", "is a Kustomize folder", "kubectl kustomize {} | meshproof up -f -"),
        (
            "echo no such base >&2; exit 1",
            "could not be built by `kubectl kustomize {}`: no such base",
            "",
        ),
    ],
)
def test_a_kustomize_folder_that_is_not_built_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, found: str, remedy: str
) -> None:
    folder = kustomize_folder(tmp_path, monkeypatch, script)
    with pytest.raises(Refused) as refused:
        read_sources([folder])
    (problem,) = refused.value.problems
    assert problem.found == found.format(folder)
    assert problem.remedy.endswith(remedy.format(folder))
