"""The versions that the kind path was tested with; Istio's is what the embedded mesh behaves like.
No other module names one; tests hold docs/kind.md and the workflow to these."""

from __future__ import annotations

from meshproof.istio_names import ISTIO_VERSION

DOCKER = "20.10"
KIND = "0.30.0"
KUBERNETES = "1.34.4"
ISTIO = ISTIO_VERSION


def minor(version: str) -> str:
    """``1.29`` of ``1.29.6``."""
    return ".".join(version.split(".")[:2])
