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
    if len(parts) != 3 or not parts[2]:
        raise ValueError(
            "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections"
        )
    header = _decode_json("header", parts[0])
    _check_header(header)
    claims = _decode_json("payload", parts[1])
    _check_claims(claims)
    _decode_part("signature", parts[2])
    return header, claims


def _check_header(header: Json) -> None:
    algorithm = header.get("alg")
    if not isinstance(algorithm, str):
        raise ValueError("Jwt header [alg] field is required and must be a string")
    if algorithm not in _ALGORITHMS:
        raise ValueError("Jwt header [alg] is not supported")
    if not isinstance(header.get("kid", ""), str):
        raise ValueError("Jwt header [kid] field is not a string")


def _check_claims(claims: Json) -> None:
    """The types of the registered claims, in Envoy's order."""
    for name in ("iss", "sub"):
        _check_text(claims, name)
    for name in ("iat", "nbf", "exp"):
        _check_time(claims.get(name, 0), name)
    _check_text(claims, "jti")
    audiences = claims.get("aud", "")
    items = audiences if isinstance(audiences, list) else [audiences]
    if not all(isinstance(item, str) for item in items):
        raise ValueError("Jwt payload [aud] field is not a string or string list")


def _check_text(claims: Json, name: str) -> None:
    if not isinstance(claims.get(name, ""), str):
        raise ValueError(f"Jwt payload [{name}] field is not a string")


def _check_time(value: object, name: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"Jwt payload [{name}] field is not an integer")
    if not 0 <= value < 2**63:
        raise ValueError(f"Jwt payload [{name}] field is not a positive 64 bit integer")


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


def signature_failure(token: str, jwks: str) -> str:
    """Why no key of the set signed the token, in Envoy's words; empty if one did. Only keys of its
    algorithm are tried, and of its ``kid`` if both have one."""
    header, _ = decode(token)
    message, _, signature = token.rpartition(".")
    algorithm, kid = header["alg"], header.get("kid")
    keys = [
        key
        for key in json.loads(jwks).get("keys", ())
        if (kid is None or "kid" not in key or key["kid"] == kid)
        and key.get("alg", algorithm) == algorithm
    ]
    if not keys:
        return "Jwks doesn't have key to match kid or alg from Jwt"
    own_type = [key for key in keys if key.get("kty") == _KEY_TYPES[algorithm[:2]]]
    data = (message.encode(), _decode_base64(signature))
    signed = any(_verify(key, algorithm, *data) for key in own_type)
    return "" if signed else "Jwt verification fails"


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
