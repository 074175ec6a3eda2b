"""The control socket's part for what a request would meet."""

from __future__ import annotations

import asyncio

from aiohttp import web

from meshproof.control.protocols import Explaining, ServedMesh
from meshproof.control.wire import Json, plain
from meshproof.errors import Unsupported


def routes(mesh: ServedMesh) -> list[web.RouteDef]:
    """What to serve; a mesh whose Envoys are elsewhere answers with Unsupported."""

    async def explain(request: web.Request) -> web.Response:
        asked: Json = await request.json()
        if not isinstance(mesh, Explaining):
            raise Unsupported(
                f"explain: the mesh {mesh.name} does not know what its Envoys were given; "
                "ask of the files instead: explain -f FILE"
            )
        found = await asyncio.to_thread(
            mesh.explain,
            asked["workload"],
            asked["url"],
            method=asked["method"],
            headers=[(name, value) for name, value in asked["headers"]],
        )
        return web.json_response(plain(found))

    return [web.post("/explain", explain)]
