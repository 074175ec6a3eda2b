"""Signs tokens with ES256, and gives the key set that verifies them."""

from __future__ import annotations

import json
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm


class Signer:
    """Has a new key; ``jwks`` is its public half as a JSON web key set."""

    def __init__(self, kid: str = "one") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._kid = kid
        public = ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        self.jwks = json.dumps({"keys": [{**public, "kid": kid, "alg": "ES256", "use": "sig"}]})

    def token(self, issuer: str, subject: str = "me", *, seconds: int = 600, **more: Any) -> str:
        """Valid for ``seconds`` from now (negative: expired)."""
        claims = {"iss": issuer, "sub": subject, "exp": int(time.time()) + seconds, **more}
        return jwt.encode(claims, self._key, "ES256", headers={"kid": self._kid})
