"""The project file's name, and where a command finds it. Cheap to import: every command does."""

from __future__ import annotations

from pathlib import Path

PROJECT_FILE = "meshproof.yaml"


def find_project() -> Path | None:
    """The project file of the current folder, if there is one."""
    file = Path(PROJECT_FILE)
    return file if file.exists() else None


def project_path(path: Path) -> Path:
    """The project file that ``path`` names: a folder stands for the one in it."""
    return path / PROJECT_FILE if path.is_dir() else path
