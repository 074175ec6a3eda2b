"""Whether a JSON web token was signed by one of given keys (RFC 7515, 7517, 7518)."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

Json = dict[str, Any]
_BASE64 = re.compile(r"[A-Za-z0-9_-]*")
_CURVES = {"ES256": ("SECP256R1", "SHA256"), "ES384": ("SECP384R1", "SHA384")}
_CURVES["ES512"] = ("SECP521R1", "SHA512")


def decoded(token: str) -> tuple[Json, Json]:
    """Header and claims. Raises ValueError, in Envoy's words, where it is no token."""
    parts = token.split(".")
    if len(parts) != 3:
        raise ValueError(
            "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections"
        )
    return _part("header", parts[0]), _part("payload", parts[1])


def _part(name: str, text: str) -> Json:
    try:
        data = _bytes(text)
    except ValueError:
        raise ValueError(f"Jwt {name} is an invalid Base64url encoded") from None
    try:
        found = json.loads(data)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ValueError(f"Jwt {name} is an invalid JSON")
    return found


def signed(token: str, jwks: str) -> bool:
    """Of the keys those with the token's ``kid``, where both have one, are tried."""
    header, _ = decoded(token)
    text, _, signature = token.rpartition(".")
    algorithm, kid = header.get("alg", ""), header.get("kid")
    keys = [
        key
        for key in json.loads(jwks).get("keys", ())
        if (kid is None or "kid" not in key or key["kid"] == kid)
        and key.get("alg", algorithm) == algorithm
    ]
    return any(_fits(key, algorithm, text.encode(), _bytes(signature)) for key in keys)


def _bytes(text: str) -> bytes:
    if not _BASE64.fullmatch(text):
        raise ValueError("not base64url")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _number(text: str) -> int:
    return int.from_bytes(_bytes(text), "big")


def _fits(key: Json, algorithm: str, text: bytes, signature: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415  # for tokens only

    try:
        if key.get("kty") == "RSA" and algorithm[:2] in ("RS", "PS"):
            _verify_rsa(key, algorithm, text, signature)
        elif key.get("kty") == "EC" and algorithm in _CURVES:
            _verify_ec(key, algorithm, text, signature)
        elif key.get("kty") == "oct" and algorithm.startswith("HS"):
            return _hmac(key, algorithm, text, signature)
        elif key.get("kty") == "OKP" and algorithm == "EdDSA":
            _verify_ed25519(key, text, signature)
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _verify_rsa(key: Json, algorithm: str, text: bytes, signature: bytes) -> None:
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import padding, rsa  # noqa: PLC0415

    digest: hashes.HashAlgorithm = getattr(hashes, f"SHA{algorithm[2:]}")()
    public = rsa.RSAPublicNumbers(_number(key["e"]), _number(key["n"])).public_key()
    if algorithm.startswith("RS"):
        public.verify(signature, text, padding.PKCS1v15(), digest)
    else:
        pss = padding.PSS(padding.MGF1(digest), padding.PSS.DIGEST_LENGTH)
        public.verify(signature, text, pss, digest)


def _verify_ec(key: Json, algorithm: str, text: bytes, signature: bytes) -> None:
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec, utils  # noqa: PLC0415

    curve, digest = _CURVES[algorithm]
    numbers = ec.EllipticCurvePublicNumbers(
        _number(key["x"]), _number(key["y"]), getattr(ec, curve)()
    )
    half = len(signature) // 2
    pair = (int.from_bytes(p, "big") for p in (signature[:half], signature[half:]))
    whole = utils.encode_dss_signature(*pair)
    numbers.public_key().verify(whole, text, ec.ECDSA(getattr(hashes, digest)()))


def _verify_ed25519(key: Json, text: bytes, signature: bytes) -> None:
    from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415

    ed25519.Ed25519PublicKey.from_public_bytes(_bytes(key["x"])).verify(signature, text)


def _hmac(key: Json, algorithm: str, text: bytes, signature: bytes) -> bool:
    import hashlib  # noqa: PLC0415
    import hmac  # noqa: PLC0415

    made = hmac.digest(_bytes(key["k"]), text, getattr(hashlib, f"sha{algorithm[2:]}"))
    return hmac.compare_digest(made, signature)
