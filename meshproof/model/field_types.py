"""Types of fields that several kinds share: ports, labels, protocols."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    Field,
)

from meshproof.model.base_model import Model

Port = Annotated[int, Field(ge=1, le=65535)]
Labels = dict[str, str]


class PortSelector(Model):
    number: Port


def upper_case(value: Any) -> Any:
    """Istio reads protocols case-insensitively."""
    return value.upper() if isinstance(value, str) else value


def check_port_text(value: str) -> str:
    if not (value.isascii() and value.isdigit() and 1 <= int(value) <= 65535):
        raise ValueError(f'"{value}" is not a port; wanted 1 to 65535')
    return value


PortText = Annotated[str, AfterValidator(check_port_text)]
