"""exportTo: the namespaces that see a host or a rule (Istio: pkg/config/visibility)."""

from __future__ import annotations

from collections.abc import Iterable


def is_visible(export_to: Iterable[str], namespace: str, viewer: str) -> bool:
    """Whether ``viewer`` sees what ``namespace`` exports to these; no entries mean all."""
    names = tuple(export_to)
    if not names or "*" in names:
        return True
    return viewer in names or ("." in names and viewer == namespace)


def is_public(export_to: Iterable[str]) -> bool:
    """Whether every namespace sees it."""
    names = tuple(export_to)
    return not names or "*" in names


def is_private(export_to: Iterable[str]) -> bool:
    """Whether it is exported to its own namespace by ``.``."""
    return "." in tuple(export_to)
