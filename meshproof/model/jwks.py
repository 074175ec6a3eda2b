"""JSON web key sets of a RequestAuthentication. A check returns the value, or raises ValueError."""

from __future__ import annotations

import base64
import json
from urllib.parse import urlsplit

from meshproof.model.base_model import FieldError


def check_jwks(value: str) -> str:
    """A key set needs at least one key that Envoy can use; Envoy ignores the others."""
    try:
        keys = json.loads(value)["keys"]
    except (ValueError, KeyError, TypeError):
        raise ValueError('is not a JSON web key set; wanted {"keys": [...]}') from None
    if not (isinstance(keys, list) and any(_is_usable(key) for key in keys)):
        raise ValueError("has no key that Envoy can use; wanted one of RSA, EC, oct or OKP, whole")
    return value


_CURVES = {"P-256": "SECP256R1", "P-384": "SECP384R1", "P-521": "SECP521R1"}


def _is_usable(key: object) -> bool:
    """Whether a JSON web key has all of its parts and, for EC, is a point of its curve."""
    if not isinstance(key, dict):
        return False
    parts = {"RSA": ("n", "e"), "EC": ("x", "y"), "oct": ("k",), "OKP": ("x",)}.get(
        str(key.get("kty"))
    )
    try:
        numbers = [_decode(key[name]) for name in parts or ()]
        return bool(numbers) and (key["kty"] != "EC" or _check_on_curve(key["crv"], *numbers))
    except (KeyError, TypeError, ValueError):
        return False


def _decode(text: str) -> int:
    data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if not data:
        raise ValueError("empty")
    return int.from_bytes(data, "big")


def _check_on_curve(name: str, x: int, y: int) -> bool:
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415  # slow to import

    curve = getattr(ec, _CURVES[name])()
    ec.EllipticCurvePublicNumbers(x, y, curve).public_key()  # ValueError off the curve
    return True


def check_jwks_uri(value: str) -> str:
    """Only plain HTTP: the outside hosts of an embedded mesh have no public certificate."""
    url = urlsplit(value)
    if url.scheme == "https":
        raise FieldError(
            f'"{value}" is https, which meshproof does not fetch; wanted http:// and a declared '
            "outside host, or the keys themselves in jwks",
            unsupported=True,
        )
    try:
        port = url.port or 80
    except ValueError:
        port = 0
    if url.scheme != "http" or not url.hostname or not port:
        raise ValueError(f'"{value}" is not an address; wanted http://HOST[:PORT]/PATH')
    return value
