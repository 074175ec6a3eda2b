"""Asks the mesh's span store, which speaks Zipkin's v2 API on a Unix socket in the run folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp

from meshproof.errors import MeshproofError

_LIMIT = aiohttp.ClientTimeout(total=10)


async def ask(socket: Path, path: str, query: Mapping[str, str] | None = None) -> Any:
    """JSON of ``GET <path>``; None for 404. Raises MeshproofError that says why there is none."""
    if not socket.exists():
        raise MeshproofError(
            "this mesh keeps its traces elsewhere; on a cluster `meshproof observe` shows Zipkin"
        )
    connector = aiohttp.UnixConnector(str(socket))
    try:
        async with (
            aiohttp.ClientSession(connector=connector, timeout=_LIMIT) as session,
            session.get(f"http://zipkin{path}", params=query) as answer,
        ):
            body = await answer.text()
    except (aiohttp.ClientError, TimeoutError) as error:
        raise MeshproofError(f"the span store does not answer: {error}") from error
    if answer.status == 404:
        return None
    if answer.status != 200:
        raise MeshproofError(f"the span store answered {answer.status}: {body[:300]}")
    return json.loads(body)
