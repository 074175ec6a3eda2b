"""JSON web key sets of a RequestAuthentication. A check returns the value, or raises ValueError."""

from __future__ import annotations

import base64
import json
from typing import NamedTuple
from urllib.parse import urlsplit


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
    """Raises ValueError for what is not an http or https URL (Istio: security.ParseJwksURI)."""
    url = urlsplit(value)
    try:
        port = url.port
    except ValueError:
        port = 0
    if url.scheme not in PORTS or not url.hostname or port == 0:
        raise ValueError(f'"{value}" is not an address; wanted http(s)://HOST[:PORT]/PATH')
    return value


PORTS = {"http": 80, "https": 443}
"""The schemes by which keys are fetched, with their ports."""
_DISCOVERY = "/.well-known/openid-configuration"


class KeySource(NamedTuple):
    """Who has the keys of a rule without ``jwks``; ``uri`` is empty where the issuer says it."""

    issuer: str
    uri: str

    @property
    def url(self) -> str:
        """The first URL that is asked: of the keys, or of the issuer's OpenID configuration."""
        return self.uri or self.issuer.removesuffix("/") + _DISCOVERY


def authority(url: str) -> tuple[str, int]:
    """Host in lower case and port of a URL; ("", 0) for what is none."""
    try:
        parts = urlsplit(url)
        return (parts.hostname or "").lower(), parts.port or PORTS.get(parts.scheme, 0)
    except ValueError:
        return "", 0
