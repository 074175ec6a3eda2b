"""The formats of values of an AuthorizationPolicy. Each check returns the value, or raises
ValueError."""

from __future__ import annotations

import ipaddress
import re

from meshproof.model.base_model import Model
from meshproof.model.field_types import check_port_text

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
METADATA = "experimental.envoy.filters."
"""Before ``a.b[c]``: what the filter ``envoy.filters.a.b`` has noted under ``c``."""
_METADATA = re.compile(r"[^][]+\[[^][]+\]")
_BRACKETS = re.compile(r"(\[[^][]+\])+")
_NAME = re.compile(r"\[[^][]+\]")
_WANTED_KEY = f"one of {', '.join(PLAIN_KEYS)}, {HEADERS}[NAME], {CLAIMS}[NAME]"


def check_cidr(value: str) -> str:
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        raise ValueError(f'"{value}" is not an address; wanted 10.1.2.3 or 10.1.0.0/16') from None
    return value


def check_service_account(value: str) -> str:
    if not value or value.count("/") > 1 or "*" in value or value[0] == "/" or value[-1] == "/":
        raise ValueError(f'"{value}" is not a service account; wanted NAME or NAMESPACE/NAME')
    return value


def check_path_template(value: str) -> str:
    """``{*}`` is one segment and ``{**}`` any number of them; no ``*`` may stand beside them."""
    if not is_path_template(value):
        return value
    segments = value.split("/")[1:]
    deep = segments.index("{**}") if "{**}" in segments else len(segments)
    rest = "".join(s for s in segments if s not in ("{*}", "{**}"))
    if not value.startswith("/") or set(rest) & set("*{}"):
        raise ValueError(
            f'"{value}" is not a path template; wanted {{*}} or {{**}} as whole segments'
        )
    if "{**}" in segments[deep + 1 :] or "{*}" in segments[deep + 1 :]:
        raise ValueError(f'"{value}" has an operator after {{**}}; wanted {{**}} as the last')
    return value


def is_path_template(path: str) -> bool:
    return "{*}" in path or "{**}" in path


def check_attribute(key: str) -> str:
    """A key of a condition that Istio knows and meshproof honours."""
    if key in PLAIN_KEYS:
        return key
    if key.startswith(METADATA) and _METADATA.fullmatch(key, len(METADATA)):
        return key
    if key.startswith(HEADERS) and _NAME.fullmatch(key, len(HEADERS)):
        return key
    if key.startswith(CLAIMS) and _BRACKETS.fullmatch(key, len(CLAIMS)):
        return key
    raise ValueError(f'"{key}" is not an attribute; wanted {_WANTED_KEY}')


def check_condition_value(key: str, value: str) -> None:
    """Check a value of a condition, by its key."""
    if key.endswith(".ip"):
        check_cidr(value)
    elif key == "destination.port":
        check_port_text(value)
    elif key == "source.serviceAccount":
        check_service_account(value)


def names_in_brackets(key: str) -> list[str]:
    """``request.auth.claims[a][b]`` has ``a`` and ``b``."""
    return [part[1:-1] for part in _NAME.findall(key)]


def check_not_empty(model: Model) -> None:
    """At least one field must be set, and no list may be empty (Istio refuses both)."""
    empty = [name for name in model.model_fields_set if not getattr(model, name)]
    if empty or not model.model_fields_set:
        raise ValueError("is empty; wanted at least one field, with a value in each")
