"""The tables of Istio's fields cover what the models honour, and name models that exist."""

from __future__ import annotations

from collections import defaultdict
from importlib import import_module

import pytest

from meshproof.model.known_fields import FIELDS, VALUES
from meshproof.model.shape import parts

PARTS = defaultdict[str, tuple[str, ...]](tuple, kube=("_pod", "_probe"))


@pytest.mark.parametrize("key", [k for k in FIELDS if not k.startswith("kube.")])
def test_what_a_model_honours_is_a_field_of_the_api(key: str) -> None:
    module, name = key.split(".")
    model = getattr(import_module(f"meshproof.model.{module}"), name)
    assert set(parts(model)) <= set(FIELDS[key].split())


@pytest.mark.parametrize("key", VALUES)
def test_values_are_those_of_a_field_that_exists(key: str) -> None:
    module, name, field = key.split(".")
    modules = [import_module(f"meshproof.model.{module}{part}") for part in ("", *PARTS[module])]
    (model,) = {getattr(m, name) for m in modules if hasattr(m, name)}
    assert field in parts(model)
