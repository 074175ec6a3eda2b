"""docs/fidelity.md says what the code does, and every difference is about a field that exists."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
import yaml

from meshproof.model.kinds import KINDS
from tools.fidelity.differences import DIFFERENCES
from tools.fidelity.page import render
from tools.fidelity.survey import survey

ROOT = Path(__file__).parent.parent.parent


def test_the_page_is_what_the_code_makes() -> None:
    remedy = "run: python -m tools.fidelity > docs/fidelity.md"
    assert (ROOT / "docs" / "fidelity.md").read_text(encoding="utf-8") == render(), remedy


def test_every_difference_is_on_the_page() -> None:
    text = " ".join(render().split())
    missing = [
        k for k, difference in DIFFERENCES.items() if " ".join(difference.split()) not in text
    ]
    assert missing == [], "no model has such a field"


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda k: k.name)
def test_every_field_of_a_kind_is_accounted_for_once(kind: object) -> None:
    for part in survey(KINDS[getattr(kind, "name", "")]):
        fields = [*part.honoured, *part.differs, *part.no_effect, *part.refused]
        assert len(fields) == len(set(fields))


def test_what_is_refused_is_no_field_of_the_model() -> None:
    (root, *_) = survey(KINDS["ServiceEntry"])
    assert root.refused == ()
    assert {"hosts", "subjectAltNames"} <= set(root.honoured)
    (sidecar, *_) = survey(KINDS["Sidecar"])
    assert sidecar.refused == ()
    values = {n: v for p in survey(KINDS["ServiceEntry"]) for n, v in p.refused_values.items()}
    assert values == {"protocol": ("GRPC-WEB", "UDP")}


def test_conformance_quotes_the_page() -> None:
    reasons = yaml.safe_load((ROOT / "conformance" / "known.yaml").read_text()) or {}
    text = " ".join(render().split())
    assert [case for case, reason in reasons.items() if " ".join(reason.split()) not in text] == []


@pytest.mark.parametrize("key", DIFFERENCES)
def test_models_of_differences_exist(key: str) -> None:
    module, name, _ = key.split(".")
    assert hasattr(import_module(f"meshproof.model.{module}"), name)
