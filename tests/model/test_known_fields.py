"""The tables of Istio's fields cover what the models honour, and name models that exist."""

from __future__ import annotations

from importlib import import_module

import pytest

from meshproof.model.known_fields import FIELDS, VALUES, modules_of
from meshproof.model.model_fields import parts


def model_of(group: str, name: str) -> type:
    """The one class of that name in the modules of a group."""
    modules = [import_module(f"meshproof.model.{m}") for m in modules_of(group)]
    (model,) = {getattr(m, name) for m in modules if hasattr(m, name)}
    assert isinstance(model, type)
    return model


@pytest.mark.parametrize("key", [k for k in FIELDS if not k.startswith("kube.")])
def test_what_a_model_honours_is_a_field_of_the_api(key: str) -> None:
    assert set(parts(model_of(*key.split(".")))) <= set(FIELDS[key].split())


@pytest.mark.parametrize("key", VALUES)
def test_values_are_those_of_a_field_that_exists(key: str) -> None:
    group, name, field = key.split(".")
    assert field in parts(model_of(group, name))
