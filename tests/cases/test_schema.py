"""The published schemas: made from the models, and true of the files that are here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshproof.cases.schema import cases_schema, project_schema
from tests.cases.mesh_files import read
from tests.cases.test_reader import BAD, IMPOSSIBLE
from tests.fakes.json_schema import errors

ROOT = Path(__file__).parents[2]
SCHEMAS = {"cases": cases_schema, "project": project_schema}


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_published_schema_is_that_of_the_models(name: str) -> None:
    published = (ROOT / "docs" / "schemas" / f"{name}.schema.json").read_text()
    assert json.loads(published) == SCHEMAS[name](), "make docs"


@pytest.mark.parametrize("file", sorted(ROOT.glob("**/*_test.yaml")), ids=lambda f: f.name)
def test_our_own_cases_fit(file: Path) -> None:
    for document in yaml.safe_load_all(file.read_text()):
        assert list(errors(document, cases_schema())) == []


@pytest.mark.parametrize("file", [ROOT / "meshproof.yaml", ROOT / "examples/shop/meshproof.yaml"])
def test_our_own_projects_fit(file: Path) -> None:
    assert list(errors(yaml.safe_load(file.read_text()), project_schema())) == []


@pytest.mark.parametrize("value", [
    {"manifests": []}, {}, {"manifests": ["a"], "image": {}},
    {"manifests": ["a"], "images": {"a": {"command": []}}},
    {"manifests": ["a"], "outside": {"a": {}}},
])  # fmt: skip
def test_a_wrong_project_does_not(value: Any) -> None:
    assert list(errors(value, project_schema()))


def test_whatever_the_schema_refuses_is_refused_by_the_reader_too() -> None:
    refused = 0
    for text, _ in BAD:
        document = yaml.safe_load(text)
        if isinstance(document, dict) and "cases" in document:
            wrong = list(errors(document, cases_schema()))
            refused += bool(wrong)
            assert not wrong or read(text)[1]
    assert refused >= 5


def test_a_placeholder_may_stand_for_a_number() -> None:
    case = {"name": "x", "expect": {"status": "${s}", "split": {"v1": "${w}"}, "allowed": "${a}"}}
    assert list(errors({"cases": [case]}, cases_schema())) == []
    case["expect"] = {"status": "403"}
    assert list(errors({"cases": [case]}, cases_schema()))


def test_fields_are_explained() -> None:
    expect = cases_schema()["$defs"]["Expect"]["properties"]
    assert [n for n, p in expect.items() if not p.get("description")] == []
    assert "Shares in percent" in expect["split"]["description"]


def test_what_schemas_cannot_say_the_reader_does() -> None:
    assert all(read(f"cases: [{{name: x, expect: {e}}}]")[1] for e, _ in IMPOSSIBLE)
