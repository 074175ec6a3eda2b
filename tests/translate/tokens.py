"""Signed tokens, and the keys to check them by: ES256."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _number(value: int) -> bytes:
    return value.to_bytes(32, "big")


class Signer:
    """A key of its own; ``jwks`` is its public half as a JSON web key set."""

    def __init__(self, kid: str = "one") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._kid = kid
        numbers = self._key.public_key().public_numbers()
        key = {"kty": "EC", "crv": "P-256", "kid": kid, "alg": "ES256", "use": "sig"}
        points = {"x": _text(_number(numbers.x)), "y": _text(_number(numbers.y))}
        self.jwks = json.dumps({"keys": [{**key, **points}]})

    def token(self, issuer: str, subject: str = "me", *, seconds: int = 600, **more: Any) -> str:
        """Good for ``seconds`` from now (less than 0: expired)."""
        head = {"alg": "ES256", "typ": "JWT", "kid": self._kid}
        claims = {"iss": issuer, "sub": subject, "exp": int(time.time()) + seconds, **more}
        parts = [_text(json.dumps(part).encode()) for part in (head, claims)]
        signed = self._key.sign(".".join(parts).encode(), ec.ECDSA(hashes.SHA256()))
        r, s = decode_dss_signature(signed)
        return ".".join([*parts, _text(_number(r) + _number(s))])
