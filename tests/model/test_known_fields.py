"""The tables of Istio's fields cover what the models honour, and name models that exist."""

from __future__ import annotations

from importlib import import_module

import pytest

from meshproof.model.known_fields import FIELDS, VALUES
from meshproof.model.shape import parts


@pytest.mark.parametrize("key", [k for k in FIELDS if not k.startswith("kube.")])
def test_what_a_model_honours_is_a_field_of_the_api(key: str) -> None:
    module, name = key.split(".")
    model = getattr(import_module(f"meshproof.model.{module}"), name)
    assert set(parts(model)) <= set(FIELDS[key].split())


@pytest.mark.parametrize("key", VALUES)
def test_values_are_those_of_a_field_that_exists(key: str) -> None:
    module, name, field = key.split(".")
    model = getattr(import_module(f"meshproof.model.{module}"), name, None)
    if model is None:
        model = getattr(import_module(f"meshproof.model.{module}_pod"), name)
    assert field in parts(model)
