"""Which files hold cases, and which rules each file is about."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from meshproof.errors import Problem, Refused
from meshproof.sources.case_text import is_case_text
from meshproof.sources.sources import read_file

_SUFFIXES = (".yaml", ".yml")
_ENDINGS = ("_test", ".test", "-test")
_SKIPPED = {"node_modules", "__pycache__", "artifacts", "build", "dist", "vendor"}
_TESTS = ("tests", "test", "cases")


def find_case_files(inputs: Iterable[str | Path], root: Path) -> list[Path]:
    """The named files and those below named folders; by default ``*_test.yaml`` and
    ``*.test.yaml`` (or ``.yml``) below ``root``. Raises Refused for a name that is no file, and
    for a folder without cases."""
    paths: list[Path] = []
    problems: list[Problem] = []
    named = [Path(item) for item in inputs]
    for item in named:
        if not item.is_dir():
            paths.append(item)
            continue
        below = [f for f in yaml_files(item) if _holds_cases(f)]
        if not below:
            message = "the folder holds no file with cases: or testCases: at top level"
            problems.append(Problem(str(item), 0, "", "", message, "", "meshproof test init"))
        paths += below
    if problems:
        raise Refused(problems)
    if not named:
        paths = [f for f in yaml_files(root) if f.stem.endswith(_ENDINGS) and _holds_cases(f)]
    return list(dict.fromkeys(paths))


def yaml_files(folder: Path) -> Iterator[Path]:
    """Every YAML file below a folder, or the file itself; none of hidden folders."""
    if folder.is_file():
        yield folder
        return
    for current, folders, files in os.walk(folder):
        folders[:] = sorted(f for f in folders if f not in _SKIPPED and not f.startswith("."))
        for name in sorted(files):
            if name.endswith(_SUFFIXES):
                yield Path(current) / name


def _holds_cases(path: Path) -> bool:
    text = read_file(path, [])
    return text is not None and is_case_text(text)


def find_rules(case_file: Path) -> tuple[Path, ...]:
    """The file of rules of the same stem: beside the cases, or beside their folder ``tests``."""
    stem = case_file.stem
    for ending in _ENDINGS:
        stem = stem.removesuffix(ending)
    folders = [case_file.parent]
    if case_file.parent.name in _TESTS:
        folders += [case_file.parent.parent, case_file.parent.parent / "rules"]
    for folder in folders:
        for suffix in _SUFFIXES:
            path = folder / f"{stem}{suffix}"
            if path != case_file and path.is_file():
                return (path,)
    return ()
