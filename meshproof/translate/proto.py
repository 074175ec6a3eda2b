"""Envoy's protobuf messages in JSON form: the small parts that every module of the translation
writes."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
"""A message, or a part of one, in protobuf's JSON form with snake_case field names."""

ADS: Json = {"ads": {}, "resource_api_version": "V3", "initial_fetch_timeout": "0s"}
"""The config source of resources that others name: the ADS stream, without a fetch timeout."""

MAX = 4294967295
"""Istio's "no limit" in a uint32 field."""


def seconds(value: float) -> str:
    """A protobuf Duration: ``1.5`` is ``1.5s``, ``0.25`` is ``0.25s``."""
    return f"{value:.9f}".rstrip("0").rstrip(".") + "s"


def fractional_percent(percent: float) -> Json:
    """A FractionalPercent of ``percent`` (0 to 100) in millionths, rounded down as in Istio."""
    return {"numerator": int(percent * 10000), "denominator": "MILLION"}


def build_any(type_name: str, **fields: Any) -> Json:
    """An Any of ``type_name``, which is written without the ``type.googleapis.com/`` prefix."""
    return {"@type": f"type.googleapis.com/{type_name}", **fields}


def build_extension(name: str, type_name: str, **fields: Any) -> Json:
    """A named extension with its typed configuration."""
    return {"name": name, "typed_config": build_any(type_name, **fields)}


def build_route_filter(name: str, type_name: str, **fields: Any) -> Json:
    """An HTTP filter that does something only where routes configure it. Envoy leaves it out of
    the chains of all other requests (``HttpFilter.disabled``), by the route that a request has
    first."""
    return {**build_extension(name, type_name, **fields), "disabled": True}


def socket_address(ip: str, port: int) -> Json:
    """A socket address."""
    return {"socket_address": {"address": ip, "port_value": port}}


def pipe_address(path: str) -> Json:
    """A Unix socket's address."""
    return {"pipe": {"path": path}}
