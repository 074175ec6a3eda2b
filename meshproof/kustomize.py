"""Folders that ``kubectl kustomize`` builds: told apart here, and left to it."""

from __future__ import annotations

from pathlib import Path

from meshproof.errors import Problem


def is_kustomize(folder: Path) -> bool:
    """Whether a folder's files are parts for ``kubectl kustomize``, not objects."""
    names = ("kustomization.yaml", "kustomization.yml", "Kustomization")
    return any((folder / name).exists() for name in names)


def kustomize_problem(folder: str) -> Problem:
    return Problem(
        file=folder,
        line=0,
        resource="",
        field="",
        found="is a Kustomize folder, which meshproof does not build",
        wanted="",
        remedy=f"build it first: kubectl kustomize {folder} | meshproof up -f -",
    )
