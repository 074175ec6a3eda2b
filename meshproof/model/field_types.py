"""Types of fields that several kinds share: ports and labels."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    Field,
)

from meshproof.model.base_model import Model

Port = Annotated[int, Field(ge=1, le=65535)]


Labels = dict[str, str]


class PortSelector(Model):
    number: Port


def upper_case(value: Any) -> Any:
    """Istio reads protocols in any case."""
    return value.upper() if isinstance(value, str) else value
