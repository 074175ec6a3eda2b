"""Asks a mesh's span store by Zipkin's v2 API, at the loopback address of ``url("zipkin")``."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from meshproof.control.client import Client
from meshproof.errors import MeshproofError, UsageError

_TIMEOUT = 60.0


def get(mesh: Client, path: str, query: Mapping[str, str | int] | None = None) -> Any:
    """The JSON at ``path`` (``/api/v2/traces``). Parameters that are empty or 0 are left out. The
    environment's HTTP proxy is not used.

    Raises UsageError for what the store refuses or does not have, and for a mesh without a store;
    MeshproofError where the store does not answer.
    """
    parameters = urlencode({name: value for name, value in (query or {}).items() if value})
    url = f"{_address(mesh)}{quote(path)}" + (f"?{parameters}" if parameters else "")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=_TIMEOUT) as response:
            return json.loads(response.read())
    except urllib.error.HTTPError as error:
        message = error.read().decode(errors="replace").strip()
        raise UsageError(message or f"{url}: HTTP {error.code}") from None
    except OSError as error:
        raise MeshproofError(f"the span store at {url} does not answer: {error}") from error


def _address(mesh: Client) -> str:
    try:
        return mesh.url("zipkin")
    except UsageError as error:
        raise UsageError(
            "this mesh keeps its traces elsewhere; on a cluster `meshproof observe` shows Zipkin"
        ) from error
