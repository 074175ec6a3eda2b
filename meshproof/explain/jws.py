"""JSON web tokens: header and claims, and whether one of given keys signed them.

RFC 7515, 7517 and 7518 as Envoy implements them (jwt_verify_lib: jwt.cc, jwks.cc, verify.cc).
PyJWT verifies the signatures. Decoding a token and choosing keys are written here, since Envoy
differs: it has a message for each malformed part, and tries every key whose ``kid`` and ``alg`` do
not contradict the token.
"""

from __future__ import annotations

import base64
import json
import re
from typing import Any

Json = dict[str, Any]
_BASE64 = re.compile(r"[A-Za-z0-9_-]*")
_KEY_TYPES = {"RS": "RSA", "PS": "RSA", "ES": "EC", "HS": "oct", "Ed": "OKP"}
"""Algorithm prefix -> key type."""
_ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "HS256", "HS384", "HS512", "EdDSA"),
)
"""Envoy's; PyJWT has more (``none``, ES256K)."""
_CURVES = {"ES256": ("P-256", 32), "ES384": ("P-384", 48), "ES512": ("P-521", 66)}
"""The curve of an algorithm, and the length of a coordinate in bytes."""
_PUBLIC = ("kty", "crv", "n", "e", "x", "y", "k")


def decode(token: str) -> tuple[Json, Json]:
    """Header and claims. Raises ValueError, in Envoy's words, for a malformed token."""
    parts = token.split(".")
    if len(parts) != 3:
        raise ValueError(
            "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections"
        )
    header, claims = _decode_json("header", parts[0]), _decode_json("payload", parts[1])
    _decode_part("signature", parts[2])
    return header, claims


def _decode_part(name: str, text: str) -> bytes:
    try:
        return _decode_base64(text)
    except ValueError:
        raise ValueError(f"Jwt {name} is an invalid Base64url encoded") from None


def _decode_json(name: str, text: str) -> Json:
    data = _decode_part(name, text)
    try:
        fields = json.loads(data)
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        raise ValueError(f"Jwt {name} is an invalid JSON")
    return fields


def _decode_base64(text: str) -> bytes:
    if not _BASE64.fullmatch(text):
        raise ValueError("not base64url")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def is_signed(token: str, jwks: str) -> bool:
    """Whether a key of the set signed the token. Only keys of its algorithm are tried, and of its
    ``kid`` if both have one."""
    header, _ = decode(token)
    message, _, signature = token.rpartition(".")
    algorithm, kid = header.get("alg", ""), header.get("kid")
    if algorithm not in _ALGORITHMS:
        return False
    keys = [
        key
        for key in json.loads(jwks).get("keys", ())
        if (kid is None or "kid" not in key or key["kid"] == kid)
        and key.get("alg", algorithm) == algorithm
        and key.get("kty") == _KEY_TYPES[algorithm[:2]]
    ]
    return any(_verify(k, algorithm, message.encode(), _decode_base64(signature)) for k in keys)


def _verify(key: Json, algorithm: str, message: bytes, signature: bytes) -> bool:
    """False for an invalid key: Envoy leaves it out of the set."""
    import jwt  # noqa: PLC0415  # for requests with tokens only: the command starts without it

    try:
        jwk = jwt.PyJWK(_public(key, algorithm), algorithm)
    except (jwt.PyJWTError, KeyError, ValueError):
        return False
    return jwk.Algorithm.verify(message, jwk.key, signature)


def _public(key: Json, algorithm: str) -> Json:
    """The public half of a key in PyJWT's form. PyJWT requires ``crv``, and coordinates of full
    length (RFC 7518, 6.2.1); Envoy accepts keys without ``crv`` and shorter coordinates."""
    public = {name: key[name] for name in _PUBLIC if name in key}
    if algorithm == "EdDSA":
        return {**public, "crv": "Ed25519"}
    if algorithm in _CURVES:
        curve, size = _CURVES[algorithm]
        public |= {"crv": curve, "x": _pad(key["x"], size), "y": _pad(key["y"], size)}
    return public


def _pad(coordinate: str, size: int) -> str:
    return base64.urlsafe_b64encode(_decode_base64(coordinate).rjust(size, b"\0")).decode()
