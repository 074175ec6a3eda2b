"""The rule files that the page offers: those of one folder, by their names alone."""

from __future__ import annotations

from pathlib import Path

from meshproof.errors import UsageError

_SUFFIXES = (".yaml", ".yml")


def names(folder: Path) -> list[str]:
    """Paths below ``folder``, sorted, files of its own before those of its folders."""
    found = [
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.suffix in _SUFFIXES and path.is_file()
    ]
    return sorted(found, key=lambda name: (name.count("/"), name))


def text(folder: Path, name: str) -> tuple[str, str]:
    """Its name in messages (``rules/a.yaml``), and the YAML. Raises UsageError for a name that
    ``names`` does not give: a path from a browser is never opened as it stands."""
    if name not in names(folder):
        raise UsageError(f"{name}: no rule file of {folder}; there are {', '.join(names(folder))}")
    path = folder / name
    try:
        return f"{folder.name}/{name}", path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}") from error


def listed(folder: Path) -> list[dict[str, str]]:
    """Name of each file, and the comment that it begins with: what the rule does."""
    return [{"name": name, "says": _comment(folder / name)} for name in names(folder)]


def _comment(path: Path) -> str:
    words: list[str] = []
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            if not line.startswith("#"):
                break
            words.append(line.lstrip("# ").rstrip())
    except (OSError, UnicodeDecodeError):
        return ""
    return " ".join(words)
