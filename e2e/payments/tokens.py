"""Payers' tokens for rules/payers_show_a_token.yaml (JWT, ES256).

``python -m e2e.payments.tokens`` prints one.

The private key is made out of a text that everybody can read here: **it protects nothing**. So the
rule's public half can stand in a file, and no key does.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

ISSUER = "payers.meshproof.test"
KEY = "meshproof: the payers' key, for tests only; worthless, for here it is"
_BYTES = 32


class Signer:
    """The key that a text stands for; another text is somebody else's key under the same name."""

    def __init__(self, text: str = KEY) -> None:
        number = int.from_bytes(hashlib.sha256(text.encode()).digest()) >> 1
        self._key = ec.derive_private_key(number, ec.SECP256R1())

    def jwk(self) -> dict[str, str]:
        """The public half, as a rule's ``jwks`` has it."""
        numbers = self._key.public_key().public_numbers()
        points = {"x": _number(numbers.x), "y": _number(numbers.y)}
        return {"kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "payers", **points}

    def token(self, issuer: str = ISSUER, *, seconds: int = 3600) -> str:
        """Good for ``seconds`` from now; with less than 0 it has expired."""
        now = int(time.time())
        claims = {"iss": issuer, "sub": "anne", "iat": now - 7200, "exp": now + seconds}
        head = {"alg": "ES256", "typ": "JWT", "kid": "payers"}
        signed = ".".join(_text(json.dumps(part).encode()) for part in (head, claims))
        r, s = decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{_text(r.to_bytes(_BYTES) + s.to_bytes(_BYTES))}"


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _number(value: int) -> str:
    return _text(value.to_bytes(_BYTES))


if __name__ == "__main__":
    print(Signer().token())
