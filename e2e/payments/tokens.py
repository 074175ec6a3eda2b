"""Payers' tokens for rules/payers_show_a_token.yaml (JWT, ES256).

``python -m e2e.payments.tokens`` prints one.

The private key is derived from a text that everybody can read here: **it protects nothing**. So
the rule's public half can stand in a file, and no key does.
"""

from __future__ import annotations

import hashlib
import time

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

ISSUER = "payers.meshproof.test"
KEY = "meshproof: the payers' key, for tests only; worthless, for here it is"
_ID = {"kid": "payers"}


class Signer:
    """The key that a text stands for; another text is somebody else's key under the same name."""

    def __init__(self, text: str = KEY) -> None:
        number = int.from_bytes(hashlib.sha256(text.encode()).digest()) >> 1
        self._key = ec.derive_private_key(number, ec.SECP256R1())

    def jwk(self) -> dict[str, str]:
        """The public half, as a rule's ``jwks`` has it."""
        public = ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return {**public, "alg": "ES256", **_ID}

    def token(self, issuer: str = ISSUER, *, seconds: int = 3600) -> str:
        """Good for ``seconds`` from now; with less than 0 it has expired."""
        now = int(time.time())
        claims = {"iss": issuer, "sub": "anne", "iat": now - 7200, "exp": now + seconds}
        return jwt.encode(claims, self._key, "ES256", headers=_ID)


if __name__ == "__main__":
    print(Signer().token())
