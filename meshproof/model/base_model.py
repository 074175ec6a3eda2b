"""The base of every typed model: strict, closed, immutable.

``strict`` means that ``weight: "50"`` and ``name: yes`` are errors, as they are to a Kubernetes API
server. ``extra="forbid"`` means that a field that no model lists is refused by name.
"""

from __future__ import annotations

from typing import Self, cast

from pydantic import (
    BaseModel,
    ConfigDict,
)
from pydantic.alias_generators import to_camel


class Model(BaseModel):
    """A Kubernetes object or a part of one: camelCase in YAML, snake_case in Python."""

    model_config = ConfigDict(
        strict=True,
        defer_build=True,  # most kinds are not in most files: each is built when first read
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        validate_by_name=False,
        validate_by_alias=True,
        hide_input_in_errors=False,
    )

    @classmethod
    def empty(cls) -> Self:
        """The instance without any field set. Unlike ``cls()`` it builds no validator, which is
        most of what the import of a model costs."""
        return cast("Self", cls.model_construct())


class PartlyHonoured:
    """Marks a field of which the models accept less than Istio does: what they refuse at the field
    itself is ``unsupported`` (``meshproof.errors.Problem``), not invalid."""


class FieldError(ValueError):
    """A ValueError of a model's own check that points at ``path`` below the model.

    ``unsupported``: see ``meshproof.errors.Problem``.
    """

    def __init__(self, message: str, *path: str | int, unsupported: bool = False) -> None:
        super().__init__(message)
        self.path = path
        self.unsupported = unsupported
