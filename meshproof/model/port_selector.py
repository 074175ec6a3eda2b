"""What several kinds of networking.istio.io have in common."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

from meshproof.model.base import Model, Port

_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


class PortSelector(Model):
    number: Port


def _visible(names: list[str]) -> list[str]:
    """Istio's validation: ``*`` and ``~`` stand alone, anything else is a namespace."""
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f'has "{name}" twice; wanted it once')
        if name in ("*", "~") and len(names) > 1:
            raise ValueError(f'has "{name}" beside others; wanted it alone')
        if name not in (".", "*", "~") and not _NAMESPACE.fullmatch(name):
            raise ValueError(f'has "{name}"; wanted namespaces, ".", "*" or "~"')
    return names


def _seen_by_somebody(names: list[str]) -> list[str]:
    if "~" in names:
        raise ValueError('has "~", which Istio takes in a ServiceEntry alone; wanted "." or "*"')
    return names


ExportTo = Annotated[list[str], AfterValidator(_visible)]
"""Namespaces that may see a rule: ``.`` its own, ``*`` all (so is none at all), ``~`` nobody."""
RuleExportTo = Annotated[ExportTo, AfterValidator(_seen_by_somebody)]
"""The same of rules of traffic, which Istio lets nobody hide from everybody."""


def _base64(value: Any) -> Any:
    if isinstance(value, str):
        try:
            base64.b64decode(value, validate=True)
        except binascii.Error:
            raise ValueError("is not base64; wanted base64") from None
    return value


Base64 = Annotated[str, BeforeValidator(_base64)]


def upper(value: Any) -> Any:
    """Istio reads protocols in any case."""
    return value.upper() if isinstance(value, str) else value
