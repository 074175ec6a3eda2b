"""exportTo: which namespaces see a host or a rule (Istio: pkg/config/visibility)."""

from __future__ import annotations

from collections.abc import Iterable


def is_visible(export_to: Iterable[str], namespace: str, viewer: str) -> bool:
    """Whether ``viewer`` may see what ``own`` exports to these; no entries mean everybody."""
    names = tuple(export_to)
    if not names or "*" in names:
        return True
    return viewer in names or ("." in names and viewer == namespace)


def is_public(export_to: Iterable[str]) -> bool:
    """Whether every namespace sees it."""
    names = tuple(export_to)
    return not names or "*" in names


def is_private(export_to: Iterable[str]) -> bool:
    """Whether its own namespace is among the named ones."""
    return "." in tuple(export_to)
