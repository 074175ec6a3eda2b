"""The control socket's answer with what apps write, once or as it grows."""

from __future__ import annotations

import asyncio
import contextlib

from aiohttp import web

from meshproof.control.follow import Follower
from meshproof.control.protocols import Remote, ServedMesh
from meshproof.errors import MeshproofError

_FOLLOW_ROUND = 0.1
"""Seconds between two looks at logs that are followed."""


async def written(
    mesh: ServedMesh, workload: str, request: web.Request, closing: asyncio.Event
) -> web.StreamResponse:
    """Bytes of a workload's logs; with ``follow=1`` until the client or the mesh ends."""
    follow = "follow" in request.query
    if isinstance(mesh, Remote) and not follow:
        return web.Response(text=await asyncio.to_thread(mesh.named_logs, workload))
    files = await asyncio.to_thread(mesh.log_files, workload)
    stream = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
    await stream.prepare(request)
    follower = Follower()
    while True:
        await stream.write(follower.poll(files, named=len(files) > 1))
        if not follow:
            break
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(closing.wait(), _FOLLOW_ROUND)
        if closing.is_set():
            break
        try:
            files = await asyncio.to_thread(mesh.log_files, workload)
        except MeshproofError:  # scaled to 0: what was written is still shown
            continue
    await stream.write_eof()
    return stream
