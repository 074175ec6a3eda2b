"""Packages that only some commands need, and the extra of the wheel that has each."""

from __future__ import annotations

import importlib.util

from meshproof.errors import MeshproofError

EXTRAS = {
    "gevent": "load",
    "jinja2": "load",
    "locust": "load",
    "markupsafe": "load",
    "plotly": "dashboard",
    "pytest": "pytest",
}
"""Module -> extra. `pytest` has jinja2 as well, for the report of a test session."""


class MissingExtra(MeshproofError):
    """A package of an extra is not installed; the message says which command installs it."""

    exit_code = 2

    def __init__(self, module: str, extra: str = "") -> None:
        extra = extra or EXTRAS[module]
        super().__init__(
            f"{module} is not installed, and this needs it; install it by: "
            f"pip install 'meshproof[{extra}]'"
        )


def require(*modules: str, extra: str = "") -> None:
    """Raise MissingExtra for the first module that is not installed. Imports none."""
    for module in modules:
        if importlib.util.find_spec(module) is None:
            raise MissingExtra(module, extra)


def missing_extra(error: ModuleNotFoundError) -> MissingExtra | None:
    """What an import that failed lacks, if it is a package of an extra."""
    module = (error.name or "").partition(".")[0]
    return MissingExtra(module) if module in EXTRAS else None
