"""What evidence must not hold: private keys, and the values of Secrets. Pure."""

from __future__ import annotations

import base64
from collections.abc import Iterable

GONE = "[redacted]"
_SHORTEST = 6
"""Bytes of a value that is looked for; a shorter one, ``true``, stands everywhere."""


def without_keys(value: object) -> object:
    """JSON without private keys; Envoy redacts them itself, this makes sure of it."""
    if isinstance(value, dict):
        return {k: GONE if k == "private_key" else without_keys(v) for k, v in value.items()}
    return [without_keys(v) for v in value] if isinstance(value, list) else value


def without(text: bytes, secrets: Iterable[bytes]) -> bytes:
    """A text without these values, nor with them in base 64; longer ones first, as one may hold
    another."""
    found = {s.strip() for s in secrets}
    wanted = [s for s in found if len(s) >= _SHORTEST]
    for secret in sorted((*wanted, *map(base64.b64encode, wanted)), key=len, reverse=True):
        text = text.replace(secret, GONE.encode())
    return text
