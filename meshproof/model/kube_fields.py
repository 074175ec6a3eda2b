"""Types of fields of Kubernetes objects, and marks for those that have no effect here.

A field marked ``NoEffect`` is one that Kubernetes knows and a local process ignores. It is
accepted, and ``ignored_fields`` warns about it. A field that no model lists is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, Field


@dataclass(frozen=True, slots=True)
class NoEffect:
    """Marks a field; ``meaning`` says what a user misses, ``harmless`` lists values without a
    warning."""

    meaning: str = ""
    harmless: tuple[Any, ...] = ()
    silent: bool = False
    """No value of the field needs a warning."""


def _check_port_ref(value: Any) -> Any:
    number = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 65535
    if number or (isinstance(value, str) and value):
        return value
    raise ValueError("is not a port; wanted a number from 1 to 65535, or a port's name")


Ignored = Annotated[Any, NoEffect()]
PortRef = Annotated[int | str, BeforeValidator(_check_port_ref)]
"""A port's number or the name of a container port."""
Seconds = Annotated[int, Field(ge=0)]


SILENT = NoEffect(silent=True)
