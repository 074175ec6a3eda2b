"""The tested versions stand in one place; docs/kind.md repeats them and is held to it."""

from __future__ import annotations

import re

import pytest

from meshproof.cluster import tools, versions
from tests.fakes.cluster_machine import ROOT

PAGE = (ROOT / "docs" / "kind.md").read_text(encoding="utf-8")

HOMES = ("versions.py", "istio_names.py")
"""Istio's version is the embedded mesh's, too, whose packages are below the cluster's."""


def test_no_other_module_names_one() -> None:
    numbers = (versions.KIND, versions.KUBERNETES, versions.ISTIO)
    sources = [f for f in (ROOT / "meshproof").rglob("*.py") if f.name not in HOMES]
    assert len(sources) > 100
    repeated = [
        (str(file.relative_to(ROOT)), number)
        for file in [*sources, ROOT / "Makefile"]
        for number in numbers
        if number in file.read_text(encoding="utf-8")
    ]
    assert repeated == []


def test_the_page_s_row_of_tools() -> None:
    (row,) = re.findall(r"^\| tools on PATH \| (.*?) \|$", PAGE, re.MULTILINE)
    for tool in (tools.KIND, tools.KUBECTL, tools.ISTIOCTL):
        assert f"{tool.name} {'.'.join(map(str, tool.least))}+" in row
        assert tool.tested in row
    assert f"Engine {'.'.join(map(str, tools.DOCKER.least))} or newer" in PAGE


@pytest.mark.parametrize(
    ("pattern", "version"),
    [
        (r"ISTIO_TAG=([\d.]*\d)", versions.ISTIO),
        (r"node:v([\d.]*\d)", versions.KUBERNETES),
        (r"Kubernetes (1[\d.]*\d)'s", versions.minor(versions.KUBERNETES)),
    ],
)
def test_the_page_s_examples(pattern: str, version: str) -> None:
    assert set(re.findall(pattern, PAGE)) == {version}
