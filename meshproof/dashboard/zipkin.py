"""Asks the mesh's span store, which speaks Zipkin's v2 API at a loopback address."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import aiohttp

from meshproof.control.client import Client
from meshproof.errors import MeshproofError, UsageError

_LIMIT = aiohttp.ClientTimeout(total=10)


async def ask(mesh: Client, path: str, query: Mapping[str, str] | None = None) -> Any:
    """JSON of ``GET <path>``; None for 404. Raises MeshproofError that says why there is none."""
    url = await asyncio.to_thread(_address, mesh)
    try:
        async with (
            aiohttp.ClientSession(timeout=_LIMIT) as session,
            session.get(f"{url}{path}", params=query) as answer,
        ):
            body = await answer.text()
    except (aiohttp.ClientError, TimeoutError) as error:
        raise MeshproofError(f"the span store does not answer: {error}") from error
    if answer.status == 404:
        return None
    if answer.status == 400:
        raise UsageError(body.strip())
    if answer.status != 200:
        raise MeshproofError(f"the span store answered {answer.status}: {body[:300]}")
    return json.loads(body)


def _address(mesh: Client) -> str:
    try:
        return mesh.url("zipkin")
    except UsageError as error:
        raise UsageError(
            "this mesh keeps its traces elsewhere; on a cluster `meshproof observe` shows Zipkin"
        ) from error
