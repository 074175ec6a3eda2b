"""CONTRIBUTING's table of packages, made from the import contract in pyproject.toml."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
BEGIN, END = "<!-- packages: made by `make docs` -->", "<!-- end of packages -->"


def read_layers(root: Path = ROOT) -> list[list[str]]:
    """The layers of ``meshproof``, top first; packages of one layer do not import each other."""
    config = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = config["tool"]["importlinter"]["contracts"]
    (layered,) = (c for c in contracts if c["type"] == "layers")
    return [[name.strip() for name in layer.split("|")] for layer in layered["layers"]]


def summarize(package: str, root: Path = ROOT) -> str:
    """The first line of a package's or module's docstring."""
    folder = root / "meshproof" / package
    file = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return text.partition("\n\n")[0].replace("\n", " ").replace("``", "`")


def render(root: Path = ROOT) -> str:
    """The table as Markdown, between its two markers."""
    lines = [BEGIN, "", "| layer | package | what it is |", "|---|---|---|"]
    for number, layer in enumerate(read_layers(root), start=1):
        for package in layer:
            folder = (root / "meshproof" / package).is_dir()
            name = f"meshproof/{package}/" if folder else f"meshproof/{package}.py"
            lines.append(f"| {number} | `{name}` | {summarize(package, root)} |")
    return "\n".join([*lines, "", END])


def insert(page: str, root: Path = ROOT) -> str:
    """``page`` with its table made anew. Raises ValueError where the markers are missing."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"no {BEGIN} ... {END} in the page")
    return before + render(root) + after
