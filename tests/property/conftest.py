"""The translator's fixtures: the Envoy binary and a certificate."""

from __future__ import annotations

from tests.translate.conftest import envoy, secrets

__all__ = ["envoy", "secrets"]
