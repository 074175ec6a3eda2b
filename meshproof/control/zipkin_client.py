"""Asks a mesh's span store by Zipkin's API, at the loopback address of ``url("zipkin")``."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from meshproof.errors import MeshproofError, UsageError


def get(url: str, *, timeout: float | None = None) -> Any:
    """The JSON there; a proxy of the environment is not asked. ``timeout`` in seconds.

    Raises UsageError for what the store refuses, MeshproofError where it does not answer.
    """
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=timeout) as answer:
            return json.loads(answer.read())
    except urllib.error.HTTPError as error:
        said = error.read().decode(errors="replace").strip()
        raise UsageError(said or f"{url}: HTTP {error.code}") from None
    except OSError as error:
        raise MeshproofError(f"{url} does not answer: {error}") from error
