"""The files of the kind path: cluster, Istio's profile, span store, live mark. Read as data."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from string import Template

LABEL = "meshproof"
"""On everything that is made: value is the cluster's name, or ``owned`` inside the cluster."""
OWNED = "owned"
SYSTEM = "meshproof-system"
"""Namespace of what meshproof itself needs in the cluster; no sidecars in it."""

OUTSIDE = "meshproof-outside"
"""Namespace of outside hosts, where they are pods."""


def asset(name: str, values: Mapping[str, str] | None = None) -> str:
    """The text of one file with its ``${NAME}`` filled in; KeyError where one is not given."""
    text = (files(__package__) / name).read_text(encoding="utf-8")
    return Template(text).substitute(values or {})
