"""Values of security.istio.io that are texts with a form of their own. Each raises ValueError."""

from __future__ import annotations

import base64
import ipaddress
import json
import re
from urllib.parse import urlsplit

from meshproof.model.base_model import Model

PLAIN_KEYS = (
    "source.ip",
    "remote.ip",
    "source.namespace",
    "source.serviceAccount",
    "source.principal",
    "request.auth.principal",
    "request.auth.audiences",
    "request.auth.presenter",
    "destination.ip",
    "destination.port",
    "connection.sni",
)
HEADERS, CLAIMS = "request.headers", "request.auth.claims"
_BRACKETS = re.compile(r"(\[[^][]+\])+")
_NAME = re.compile(r"\[[^][]+\]")
_WANTED_KEY = f"one of {', '.join(PLAIN_KEYS)}, {HEADERS}[NAME], {CLAIMS}[NAME]"


def cidr(value: str) -> str:
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        raise ValueError(f'"{value}" is no address; wanted 10.1.2.3 or 10.1.0.0/16') from None
    return value


def port_text(value: str) -> str:
    if not (value.isascii() and value.isdigit() and 1 <= int(value) <= 65535):
        raise ValueError(f'"{value}" is no port; wanted 1 to 65535')
    return value


def service_account(value: str) -> str:
    if not value or value.count("/") > 1 or "*" in value or value[0] == "/" or value[-1] == "/":
        raise ValueError(f'"{value}" is no service account; wanted NAME or NAMESPACE/NAME')
    return value


def path_template(value: str) -> str:
    """``{*}`` is one segment, ``{**}`` any number of them, and then no ``*`` beside."""
    if not is_template(value):
        if value.count("*") - value.startswith("*") - (value.endswith("*") and value != "*"):
            raise ValueError(f'"{value}" has a * in its middle; wanted it at an end, or {{*}}')
        return value
    segments = value.split("/")[1:]
    deep = segments.index("{**}") if "{**}" in segments else len(segments)
    rest = "".join(s for s in segments if s not in ("{*}", "{**}"))
    if not value.startswith("/") or set(rest) & set("*{}"):
        raise ValueError(f'"{value}" is no path template; wanted {{*}} or {{**}} as whole segments')
    if "{**}" in segments[deep + 1 :] or "{*}" in segments[deep + 1 :]:
        raise ValueError(f'"{value}" has an operator behind {{**}}; wanted {{**}} as the last')
    return value


def is_template(path: str) -> bool:
    return "{*}" in path or "{**}" in path


def attribute(key: str) -> str:
    """A condition's key that Istio knows and that is honoured here."""
    if key in PLAIN_KEYS:
        return key
    if key.startswith("experimental.envoy.filters."):
        raise ValueError(f"{key} reads another filter's metadata, which meshproof does not honour")
    if key.startswith(HEADERS) and _NAME.fullmatch(key, len(HEADERS)):
        return key
    if key.startswith(CLAIMS) and _BRACKETS.fullmatch(key, len(CLAIMS)):
        return key
    raise ValueError(f'"{key}" is no attribute; wanted {_WANTED_KEY}')


def value_of(key: str, value: str) -> None:
    """The value of a condition, by its key."""
    if key.endswith(".ip"):
        cidr(value)
    elif key == "destination.port":
        port_text(value)
    elif key == "source.serviceAccount":
        service_account(value)


def bracketed(key: str) -> list[str]:
    """``request.auth.claims[a][b]`` has ``a`` and ``b``."""
    return [part[1:-1] for part in _NAME.findall(key)]


def not_empty(model: Model) -> None:
    """Something must be said, and no list may be written and empty (Istio refuses both)."""
    empty = [name for name in model.model_fields_set if not getattr(model, name)]
    if empty or not model.model_fields_set:
        raise ValueError("names nothing; wanted at least one field, and a value in each")


def jwks(value: str) -> str:
    """A key set with at least one key that Envoy can use; it passes over the others."""
    try:
        keys = json.loads(value)["keys"]
    except (ValueError, KeyError, TypeError):
        raise ValueError('is no JSON web key set; wanted {"keys": [...]}') from None
    if not (isinstance(keys, list) and any(_usable(key) for key in keys)):
        raise ValueError("has no key that Envoy can use; wanted one of RSA, EC, oct or OKP, whole")
    return value


_CURVES = {"P-256": "SECP256R1", "P-384": "SECP384R1", "P-521": "SECP521R1"}


def _usable(key: object) -> bool:
    """Whether a JSON web key has all of its parts, and an EC one is a point of its curve."""
    if not isinstance(key, dict):
        return False
    parts = {"RSA": ("n", "e"), "EC": ("x", "y"), "oct": ("k",), "OKP": ("x",)}.get(
        str(key.get("kty"))
    )
    try:
        numbers = [_decoded(key[name]) for name in parts or ()]
        return bool(numbers) and (key["kty"] != "EC" or _on_curve(key["crv"], *numbers))
    except (KeyError, TypeError, ValueError):
        return False


def _decoded(text: str) -> int:
    data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if not data:
        raise ValueError("empty")
    return int.from_bytes(data, "big")


def _on_curve(name: str, x: int, y: int) -> bool:
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415  # slow to import

    curve = getattr(ec, _CURVES[name])()
    ec.EllipticCurvePublicNumbers(x, y, curve).public_key()  # ValueError off the curve
    return True


def jwks_uri(value: str) -> str:
    """Plain HTTP, since the outside hosts of an embedded mesh have no public certificate."""
    found = urlsplit(value)
    if found.scheme == "https":
        raise ValueError(
            f'"{value}" is https, which meshproof does not fetch; wanted http:// and a declared '
            "outside host, or the keys themselves in jwks"
        )
    try:
        port = found.port or 80
    except ValueError:
        port = 0
    if found.scheme != "http" or not found.hostname or not port:
        raise ValueError(f'"{value}" is no address; wanted http://HOST[:PORT]/PATH')
    return value
