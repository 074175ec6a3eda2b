"""Reflection on models: their fields by YAML name, and the models below them."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from meshproof.model.base_model import Model
from meshproof.sources.location import FieldPath


@dataclass(frozen=True, slots=True)
class ModelField:
    """One field: ``model`` is the model of its value, list entries or map values, if any."""

    model: type[Model] | None
    holds: Literal["one", "list", "map"]


@cache
def fields_by_name(model: type[Model]) -> Mapping[str, ModelField]:
    """The fields of a model by YAML name."""
    return {
        info.alias or name: _describe_field(info.annotation)
        for name, info in model.model_fields.items()
    }


def _describe_field(annotation: Any) -> ModelField:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _describe_field(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        options = [a for a in get_args(annotation) if a is not type(None)]
        return _describe_field(options[0]) if len(options) == 1 else ModelField(None, "one")
    if origin in (list, tuple):
        return ModelField(_describe_field(get_args(annotation)[0]).model, "list")
    if origin in (dict, Mapping):
        return ModelField(_describe_field(get_args(annotation)[1]).model, "map")
    is_model = isinstance(annotation, type) and issubclass(annotation, Model)
    return ModelField(annotation if is_model else None, "one")


def find_model(root: type[Model], path: FieldPath) -> type[Model] | None:
    """The model of the mapping at ``path`` below ``root``, or None."""
    model: type[Model] | None = root
    holds = "one"
    for step in path:
        if holds == "one":
            part = fields_by_name(model).get(str(step)) if model else None
            if part is None:
                return None
            model, holds = part.model, part.holds
        else:  # the index of a list or the key of a map
            holds = "one"
    return model if holds == "one" else None
