"""The ADS server: one stream for each Envoy, state of the world, over a Unix socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import grpc.aio

from meshproof.xds import codec
from meshproof.xds.envoy_client import EnvoyClient

_METHOD_SERVICE = "envoy.service.discovery.v3.AggregatedDiscoveryService"


class AdsServer:
    """Serves every registered ``EnvoyClient``; the streams of other nodes are closed."""

    def __init__(self) -> None:
        self.clients: dict[str, EnvoyClient] = {}
        self._server: grpc.aio.Server | None = None

    def register(self, node: str) -> EnvoyClient:
        client = self.clients[node] = EnvoyClient(node)
        return client

    def forget(self, node: str) -> None:
        self.clients.pop(node, None)

    async def start(self, socket: Path) -> None:
        server = grpc.aio.server()
        handler: grpc.RpcMethodHandler[codec.Request, bytes] = (
            grpc.stream_stream_rpc_method_handler(
                self._stream, request_deserializer=codec.parse_request
            )
        )
        server.add_generic_rpc_handlers(
            (
                grpc.method_handlers_generic_handler(
                    _METHOD_SERVICE, {"StreamAggregatedResources": handler}
                ),
            )
        )
        server.add_insecure_port(f"unix:{socket}")
        await server.start()
        self._server = server

    async def stop(self) -> None:
        if self._server is not None:
            await self._server.stop(None)
            self._server = None

    async def _stream(
        self, requests: AsyncIterator[codec.Request], _context: Any
    ) -> AsyncIterator[bytes]:
        first = await anext(aiter(requests), None)
        client = self.clients.get(first.node) if first else None
        if first is None or client is None:
            return
        out: asyncio.Queue[bytes | None] = asyncio.Queue()
        client.attach(out)
        client.receive(first)

        async def read() -> None:
            try:
                async for request in requests:
                    client.receive(request)
            finally:
                out.put_nowait(None)

        reader = asyncio.create_task(read())
        try:
            while (message := await out.get()) is not None:
                yield message
        finally:
            reader.cancel()
            client.detach(out)
