"""``exportTo`` of networking.istio.io: the namespaces that may see a resource."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def _check_namespaces(names: list[str]) -> list[str]:
    """Istio's validation: ``*`` and ``~`` stand alone; anything else is a namespace."""
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f'has "{name}" twice; wanted it once')
        if name in ("*", "~") and len(names) > 1:
            raise ValueError(f'has "{name}" beside others; wanted it alone')
        if name not in (".", "*", "~") and not _NAMESPACE.fullmatch(name):
            raise ValueError(f'has "{name}"; wanted namespaces, ".", "*" or "~"')
    return names


def _check_not_hidden(names: list[str]) -> list[str]:
    if "~" in names:
        raise ValueError('has "~", which Istio takes in a ServiceEntry alone; wanted "." or "*"')
    return names


ExportTo = Annotated[list[str], AfterValidator(_check_namespaces)]
"""The namespaces that may see a resource: ``.`` its own, ``*`` or an empty list all, ``~`` none."""


RuleExportTo = Annotated[ExportTo, AfterValidator(_check_not_hidden)]
"""The same for VirtualServices and DestinationRules, where Istio refuses ``~``."""
