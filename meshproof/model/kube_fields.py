"""Types of fields of Kubernetes objects, and marks for those that a local process ignores.

``NotHonoured`` marks a field that Kubernetes knows and a local process does without: it is
accepted, and ``unsupported_fields`` names it. A field that is in no model is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, Field


@dataclass(frozen=True, slots=True)
class NoEffect:
    """Marks a field; ``meaning`` says what a user will miss, ``harmless`` what needs no word."""

    meaning: str = ""
    harmless: tuple[Any, ...] = ()
    silent: bool = False
    """No value of the field changes anything here."""


def _check_port_ref(value: Any) -> Any:
    number = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 65535
    if number or (isinstance(value, str) and value):
        return value
    raise ValueError("is no port; wanted a number from 1 to 65535, or a port's name")


Ignored = Annotated[Any, NoEffect()]
PortRef = Annotated[int | str, BeforeValidator(_check_port_ref)]
"""A port's number or the name of a container port."""
Seconds = Annotated[int, Field(ge=0)]


SILENT = NoEffect(silent=True)
