"""Whether replicas are in pods: what ``MESHPROOF_PODS`` says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from meshproof.errors import UsageError
from meshproof.host import pod_trial

VARIABLE = "MESHPROOF_PODS"
NEEDS_PODS = f"run in pods ({VARIABLE}=on or --pods), leave it out, or run on a cluster (MESH=kind)"
"""The remedy for what a mesh without pods refuses."""
Mode = Literal["on", "off", "auto"]
"""``auto``: pods where the machine allows them."""
_DEFAULT: Mode = "auto"


def read_mode(environ: Mapping[str, str]) -> Mode:
    """What ``MESHPROOF_PODS`` says. Raises UsageError for a word that it does not know."""
    value = environ.get(VARIABLE, _DEFAULT)
    if value not in ("on", "off", "auto"):
        raise UsageError(f"{VARIABLE}={value!r}: wanted on, off or auto")
    return value  # type: ignore[return-value]  # mypy does not narrow by a tuple


def plans_pods(environ: Mapping[str, str]) -> bool:
    """Whether files alone are judged as a mesh in pods: unless ``off`` is asked for, whatever
    this machine allows, so that a verdict on files is the same everywhere."""
    return read_mode(environ) != "off"


def runs_pods(environ: Mapping[str, str]) -> bool:
    """Whether the replicas of a mesh that starts now would be in pods."""
    mode = read_mode(environ)
    return mode == "on" or (mode == "auto" and not pod_trial.find_problem())
