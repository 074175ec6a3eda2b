"""Imports the protobuf classes that the ``@type`` names of a resource need, and no others.

An Any in JSON form can be parsed only when its class is registered, and importing all of Envoy's
extensions takes seconds. ``type.googleapis.com/envoy.x.y.v3.Name`` lives in one of the
modules of the package ``envoy.x.y.v3``.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil


def ensure_types(value: object) -> None:
    """Import the classes of every ``@type`` inside ``value``."""
    if isinstance(value, dict):
        type_url = value.get("@type")
        if isinstance(type_url, str):
            _load(type_url.rsplit("/", 1)[-1].rsplit(".", 1)[0])
        for item in value.values():
            ensure_types(item)
    elif isinstance(value, list | tuple):
        for item in value:
            ensure_types(item)


@functools.cache
def _load(package: str) -> None:
    if package.startswith("google.protobuf"):
        importlib.import_module("google.protobuf.wrappers_pb2")
        return
    module = importlib.import_module(package)
    for entry in pkgutil.iter_modules(module.__path__):
        if entry.name.endswith("_pb2"):
            importlib.import_module(f"{package}.{entry.name}")
