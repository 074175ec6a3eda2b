"""The files of the kind path: cluster, Istio's profile, span store, live mark."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from string import Template

LABEL = "meshproof"
"""On everything that is created: the value is the cluster's name, or ``owned`` inside it."""
OWNED = "owned"
SYSTEM = "meshproof-system"
"""The namespace of what meshproof itself needs in the cluster; it has no sidecars."""

OUTSIDE = "meshproof-outside"
"""The namespace of outside hosts that run as pods."""


def asset(name: str, values: Mapping[str, str] | None = None) -> str:
    """The text of one file with each ``${NAME}`` filled in; KeyError where ``values`` lacks one."""
    text = (files(__package__) / name).read_text(encoding="utf-8")
    return Template(text).substitute(values or {})
