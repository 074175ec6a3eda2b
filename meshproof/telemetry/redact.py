"""Removes from evidence what it must not contain: private keys, and values of Secrets. Pure."""

from __future__ import annotations

import base64
from collections.abc import Iterable

REDACTED = "[redacted]"
_MIN_LENGTH = 6
"""Bytes. A shorter value, such as ``true``, occurs everywhere."""


def redact_private_keys(value: object) -> object:
    """JSON without private keys; Envoy redacts them itself, this makes sure of it."""
    if isinstance(value, dict):
        return {
            k: REDACTED if k == "private_key" else redact_private_keys(v) for k, v in value.items()
        }
    return [redact_private_keys(v) for v in value] if isinstance(value, list) else value


def redact_values(text: bytes, secrets: Iterable[bytes]) -> bytes:
    """A text without these values, plain or in base 64. Longer ones go first: one may contain
    another."""
    values = [s for s in {s.strip() for s in secrets} if len(s) >= _MIN_LENGTH]
    for secret in sorted((*values, *map(base64.b64encode, values)), key=len, reverse=True):
        text = text.replace(secret, REDACTED.encode())
    return text
