"""Names are the field's terms: a participle never names a variable, a parameter or a function."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("meshproof", "services", "e2e", "bench", "soak", "conformance", "tools", "tests")
PARTICIPLES = {"asked", "brought", "found", "given", "gone", "heard", "made", "meant"}
PARTICIPLES |= {"noted", "said", "shown", "spoken", "taken", "thought", "told"}
ERROR_FORMAT = {"found", "wanted", "remedy"}
"""The parts of an error: fields of a class, and parameters of the functions that build it."""


def bindings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and name of every variable, parameter and function of a module; no class's fields."""
    fields = {
        id(statement.target)
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for statement in node.body
        if isinstance(statement, ast.AnnAssign)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Name(ctx=ast.Store()) if id(node) not in fields:
                yield node.lineno, node.id
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield node.lineno, node.name
                names = {a.arg for a in ast.walk(node.args) if isinstance(a, ast.arg)}
                builder = len(names & ERROR_FORMAT) > 1
                yield from ((node.lineno, n) for n in names if not (builder and n in ERROR_FORMAT))


def misnamed(source: str) -> list[tuple[int, str]]:
    names = bindings(ast.parse(source))
    return sorted((line, name) for line, name in names if name.strip("_") in PARTICIPLES)


def files() -> list[Path]:
    return sorted(f for folder in FOLDERS for f in (ROOT / folder).rglob("*.py"))


def test_no_participle_is_a_name() -> None:
    problems = [
        f"{file.relative_to(ROOT)}:{line}: {name}"
        for file in files()
        for line, name in misnamed(file.read_text(encoding="utf-8"))
    ]
    assert problems == []


def test_it_sees_variables_parameters_and_functions() -> None:
    source = """
def _made(asked, *, plain):
    found = [said for said in asked]
    for told in plain: pass
"""
    names = {name for _, name in misnamed(source)}
    assert names == {"_made", "asked", "found", "said", "told"}


def test_the_format_of_an_error_is_spared() -> None:
    assert misnamed("class Problem:\n    found: str\n    wanted: str\n") == []
    assert misnamed("def problem(at, found, wanted): pass\nproblem(1, found='a', wanted='b')") == []
    assert misnamed("def problem(found): pass") == [(1, "found")]
