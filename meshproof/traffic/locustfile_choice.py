"""Which locustfile a load uses where its user names none."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from meshproof.project import Project

NAME = "locustfile.py"
DEFAULT = Path(__file__).with_name("default_locustfile.py")


def choose_locustfile(project: Project | None, folder: Path) -> Path:
    """The project's, as ``meshproof.yaml`` names it; else ``folder``'s ``locustfile.py``, as Locust
    itself would find it; else the default one."""
    if project and project.locustfile:
        return project.locustfile
    return folder / NAME if (folder / NAME).is_file() else DEFAULT
