"""Which locustfile a load uses where its user names none."""

from __future__ import annotations

from pathlib import Path

from meshproof.project import Project
from meshproof.traffic.locustfile_choice import DEFAULT, choose_locustfile


def test_the_projects_goes_first_then_the_folders_then_the_default(tmp_path: Path) -> None:
    project = Project(tmp_path)
    assert choose_locustfile(None, tmp_path) == choose_locustfile(project, tmp_path) == DEFAULT
    assert DEFAULT.is_file()
    own = tmp_path / "locustfile.py"
    own.touch()
    assert choose_locustfile(None, tmp_path) == choose_locustfile(project, tmp_path) == own
    named = Project(tmp_path, locustfile=tmp_path / "load" / "users.py")
    assert choose_locustfile(named, tmp_path) == tmp_path / "load" / "users.py"
