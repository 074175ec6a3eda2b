"""The tables of the APIs' fields cover what the models honour, and name models that exist."""

from __future__ import annotations

from importlib import import_module

import pytest

from meshproof.model.api_fields import FIELDS, VALUES
from meshproof.model.model_fields import fields_by_name


def model_of(module: str, name: str) -> type:
    model = getattr(import_module(f"meshproof.model.{module}"), name)
    assert isinstance(model, type)
    return model


@pytest.mark.parametrize("key", FIELDS)
def test_what_a_model_honours_is_a_field_of_the_api(key: str) -> None:
    assert set(fields_by_name(model_of(*key.split(".")))) <= set(FIELDS[key].split())


@pytest.mark.parametrize("key", VALUES)
def test_values_are_those_of_a_field_that_exists(key: str) -> None:
    module, name, field = key.split(".")
    assert field in fields_by_name(model_of(module, name))
