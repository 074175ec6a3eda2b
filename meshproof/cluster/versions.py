"""The versions that the kind path was tested with. No other module names one; tests hold
docs/kind.md and the workflow to these."""

from __future__ import annotations

DOCKER = "20.10"
KIND = "0.30.0"
KUBERNETES = "1.34.4"
ISTIO = "1.29.6"


def minor(version: str) -> str:
    """``1.29`` of ``1.29.6``."""
    return ".".join(version.split(".")[:2])
