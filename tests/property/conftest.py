"""The Envoy of this platform and a certificate, as the tests of the translator have them."""

from __future__ import annotations

from tests.translate.conftest import envoy, secrets

__all__ = ["envoy", "secrets"]
