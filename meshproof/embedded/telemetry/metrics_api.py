"""The mesh's metrics over HTTP, for a Prometheus on this machine.

GET /metrics          the whole mesh; each sample is labelled with its namespace and pod
GET /metrics/POD      one pod: sidecar and app, as Istio's agent serves them on a cluster
GET /targets          one target for each pod, for Prometheus' http_sd_configs; labels as on a
                      cluster
"""

from __future__ import annotations

import asyncio

from aiohttp import web

from meshproof.embedded.engine import Engine
from meshproof.embedded.telemetry.scrape_targets import list_targets, scrape_all
from meshproof.errors import MeshproofError
from meshproof.telemetry.loopback_guard import local_only
from meshproof.telemetry.prometheus import OPENMETRICS, TEXT, prefers_openmetrics, render


def application(engine: Engine) -> web.Application:
    """Serves one mesh; bind it to a loopback address."""
    api = _Api(engine)
    app = web.Application(middlewares=[local_only])
    app.add_routes(
        [
            web.get("/metrics", api.everything),
            web.get("/metrics/{pod}", api.pod),
            web.get("/targets", api.targets),
        ]
    )
    return app


class _Api:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def everything(self, request: web.Request) -> web.Response:
        openmetrics = _openmetrics(request)
        text = await scrape_all(list_targets(self._engine), openmetrics=openmetrics)
        return _respond(text, openmetrics)

    async def pod(self, request: web.Request) -> web.Response:
        """404 for an unknown pod, 503 for one that does not answer."""
        name = request.match_info["pod"]
        for target in list_targets(self._engine):
            if target.pod == name:
                try:
                    page = await target.read()
                except MeshproofError as error:
                    raise web.HTTPServiceUnavailable(text=f"{error}\n") from None
                openmetrics = _openmetrics(request)
                text = await asyncio.to_thread(render, page, openmetrics=openmetrics)
                return _respond(text, openmetrics)
        raise web.HTTPNotFound(text=f"no pod is named {name}\n")

    async def targets(self, request: web.Request) -> web.Response:
        return web.json_response(
            [
                {
                    "targets": [request.host],
                    "labels": {
                        "__metrics_path__": f"/metrics/{target.pod}",
                        "instance": target.instance,
                        "namespace": target.namespace,
                        "pod": target.pod,
                    },
                }
                for target in list_targets(self._engine)
            ]
        )


def _openmetrics(request: web.Request) -> bool:
    return prefers_openmetrics(request.headers.get("Accept", ""))


def _respond(text: str, openmetrics: bool) -> web.Response:
    headers = {"Content-Type": OPENMETRICS if openmetrics else TEXT}
    return web.Response(body=text.encode(), headers=headers)
