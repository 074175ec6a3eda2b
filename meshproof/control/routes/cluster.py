"""The control socket's part for a mesh on a cluster: load from inside it, and its add-ons."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

from aiohttp import web

from meshproof.control.protocols import OnCluster, ServedMesh
from meshproof.control.wire import Json
from meshproof.errors import Unsupported
from meshproof.traffic.distributed_load import DistributedLoad, write

_WATCH = 0.5
"""Seconds between two looks whether who asked for a load is still there."""


def routes(mesh: ServedMesh) -> list[web.RouteDef]:
    """What to serve; a mesh that is on no cluster answers with Unsupported."""
    answers = _Answers(mesh)
    return [
        web.post("/load", answers.load),
        web.post("/observe", answers.observe),
        web.post("/unobserve", answers.unobserve),
    ]


class _Answers:
    def __init__(self, mesh: ServedMesh) -> None:
        self._mesh = mesh

    def _cluster(self, what: str) -> OnCluster:
        if isinstance(self._mesh, OnCluster):
            return self._mesh
        raise Unsupported(f"{what}: the mesh {self._mesh.name} is on no cluster (MESH=kind is)")

    async def load(self, request: web.Request) -> web.Response:
        """Answers when the load is over and its files are written; ends it with who asked."""
        asked: Json = await request.json()
        cluster = self._cluster("load from workers")
        stop = threading.Event()
        sending = asyncio.create_task(asyncio.to_thread(_send, cluster, asked, stop))
        while not sending.done():
            await asyncio.wait({sending}, timeout=_WATCH)
            if request.transport is None or request.transport.is_closing():
                stop.set()
        await sending
        return web.json_response({})

    async def observe(self, request: web.Request) -> web.Response:
        cluster, folder = self._cluster("observe"), Path((await request.json())["folder"])
        await asyncio.to_thread(cluster.observe, folder)
        return web.json_response(await asyncio.to_thread(cluster.observed, folder))

    async def unobserve(self, request: web.Request) -> web.Response:
        cluster, folder = self._cluster("observe"), Path((await request.json())["folder"])
        await asyncio.to_thread(cluster.unobserve, folder)
        return web.json_response({})


def _send(cluster: OnCluster, asked: Json, stop: threading.Event) -> None:
    outputs = cluster.spread_load(DistributedLoad(**asked["order"]), stop)
    write(outputs, Path(asked["folder"]))
