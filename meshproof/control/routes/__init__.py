"""The calls of the control socket: one module per topic, one function per call.

New modules are found automatically.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

from meshproof.control.endpoint import Endpoint


def endpoints() -> Iterator[Endpoint[..., Any]]:
    """Every endpoint of every module."""
    for module in pkgutil.iter_modules(__path__):
        declared = vars(importlib.import_module(f"{__name__}.{module.name}")).values()
        yield from (value for value in declared if isinstance(value, Endpoint))
