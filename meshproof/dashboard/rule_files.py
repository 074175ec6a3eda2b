"""The rule files that the page offers: those of one folder, addressed by their names only."""

from __future__ import annotations

from pathlib import Path

from meshproof.errors import UsageError

_SUFFIXES = (".yaml", ".yml")


def list_names(folder: Path) -> list[str]:
    """Paths relative to ``folder``, sorted; its own files before those of its subfolders."""
    names = [
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.suffix in _SUFFIXES and path.is_file()
    ]
    return sorted(names, key=lambda name: (name.count("/"), name))


def read(folder: Path, name: str) -> tuple[str, str]:
    """The file's name in messages (``rules/a.yaml``), and the YAML. Raises UsageError for a name
    that ``list_names`` does not return: a path from a browser is never opened unchecked."""
    names = list_names(folder)
    if name not in names:
        raise UsageError(f"{name}: no rule file of {folder}; there are {', '.join(names)}")
    path = folder / name
    try:
        return f"{folder.name}/{name}", path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}") from error


def describe(folder: Path) -> list[dict[str, str]]:
    """Each file's name, and the comment at its beginning: what the rule does."""
    return [{"name": name, "comment": _comment(folder / name)} for name in list_names(folder)]


def _comment(path: Path) -> str:
    lines: list[str] = []
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            if not line.startswith("#"):
                break
            lines.append(line.lstrip("# ").rstrip())
    except (OSError, UnicodeDecodeError):
        return ""
    return " ".join(lines)
