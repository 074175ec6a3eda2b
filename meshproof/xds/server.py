"""The ADS server: one stream a sidecar, state of the world, over a Unix socket.

An ``EnvoyClient`` is the server's view of one Envoy: what it should have, what was sent on its
present stream, and what it acknowledged. ``settled`` is the mesh's only notion of "this Envoy has
it".

Envoy's behaviour relied on: ACK and NACK carry the nonce of the response they answer, and a
request with a stale nonce is to be ignored unless it changes the subscription; a NACK keeps the
former resources (for routes and secrets all of them; clusters and listeners not atomically).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import grpc.aio

from meshproof.xds import codec

_METHOD_SERVICE = "envoy.service.discovery.v3.AggregatedDiscoveryService"
_WILDCARD = (codec.CLUSTERS, codec.LISTENERS)
Resources = Mapping[str, codec.Encoded]


class NackError(Exception):
    """An Envoy refused a configuration; the text is Envoy's own."""

    def __init__(self, sidecar: str, type_url: str, text: str) -> None:
        self.sidecar, self.type_url, self.text = sidecar, type_url, text
        super().__init__(f"{sidecar} refused {type_url.rsplit('.', 1)[-1]}: {text}")


@dataclass
class _Sub:
    """One type on one stream."""

    subscribed: bool = False
    names: tuple[str, ...] = ()
    nonce: str = ""
    sent: dict[str, bytes] = field(default_factory=dict)
    """Digest of what this stream was sent, by name."""
    acked: dict[str, bytes] = field(default_factory=dict)
    pending: dict[str, dict[str, bytes]] = field(default_factory=dict)
    """By nonce: what a response carries, until it is answered."""
    empty_sent: bool = False


class EnvoyClient:
    """One Envoy. Not safe for use outside the server's event loop."""

    def __init__(self, node: str) -> None:
        self.node = node
        self.want: dict[str, Resources] = {t: {} for t in codec.TYPES}
        self.connected = False
        self.paused = False
        """Its process is stopped: it keeps its stream, and answers nothing."""
        self.nack: NackError | None = None
        self._subs: dict[str, _Sub] = {}
        self._out: asyncio.Queue[bytes | None] | None = None
        self._changed = asyncio.Event()
        self._nonce = 0

    # -- what the mesh wants -------------------------------------------------------------------

    def set(self, type_url: str, resources: Resources, *, resend: Iterable[str] = ()) -> None:
        """Want ``resources`` from now on; sends what the present stream lacks.

        ``resend`` names resources to send though they are unchanged: Envoy warms a replaced
        cluster only when its endpoints are sent again.
        """
        self.want[type_url] = resources
        sub = self._subs.get(type_url)
        if sub is None:
            return
        for name in resend:
            sub.sent.pop(name, None)
            sub.acked.pop(name, None)
        self._send(type_url, sub)

    async def settled(self, type_url: str, names: Iterable[str] | None = None) -> None:
        """Return when this Envoy has acknowledged what is wanted of a type (of ``names``).

        Raises NackError when it refuses. An Envoy that is not connected, or is paused, has nothing
        to settle: it takes everything when it comes back.
        """
        wanted = None if names is None else tuple(names)
        while True:
            if self.nack is not None:
                raise self.nack
            if not self.answers or self._is_settled(type_url, wanted):
                return
            self._changed.clear()
            await self._changed.wait()

    @property
    def answers(self) -> bool:
        """Whether its word is to be had."""
        return self.connected and not self.paused

    def pause(self) -> None:
        self.paused = True
        self._changed.set()

    def resume(self) -> None:
        self.paused = False
        self._changed.set()

    async def caught_up(self) -> None:
        """Return when all that is wanted is acknowledged, or its word is not to be had."""
        with contextlib.suppress(NackError):  # of a change that was undone meanwhile
            for type_url in codec.TYPES:
                sub = self._subs.get(type_url)
                by_name = type_url in (codec.ROUTES, codec.SECRETS)
                if sub is not None:
                    await self.settled(type_url, sub.names if by_name else None)

    def _is_settled(self, type_url: str, names: tuple[str, ...] | None) -> bool:
        sub = self._subs.get(type_url)
        want = self.want[type_url]
        asked = [n for n in (want if names is None else names) if n in want]
        if type_url in (codec.ROUTES, codec.SECRETS):
            expected = self._expected(type_url)
            asked = [n for n in asked if n in expected]
        if sub is None:
            return not asked
        if type_url in _WILDCARD and sub.nonce in sub.pending:
            return False  # what it acknowledged before may be what is wanted again: undone changes
        if names is None and type_url in _WILDCARD and set(sub.acked) != set(want):
            return False
        return all(sub.acked.get(n) == want[n].digest for n in asked)

    def _expected(self, type_url: str) -> frozenset[str]:
        """What this Envoy has asked for by name, or will: a gateway without a Gateway, say, asks
        for no routes, and would never acknowledge any."""
        sub = self._subs.get(type_url)
        because = (codec.LISTENERS, codec.CLUSTERS)
        named = (e.names for t in because for e in self.want[t].values())
        return frozenset(sub.names if sub else ()).union(*named)

    async def initialised(self) -> None:
        """Return when the first configuration, listeners and their routes, is acknowledged."""
        while True:
            if self.nack is not None:
                raise self.nack
            kinds = (codec.CLUSTERS, codec.LISTENERS, codec.SECRETS, codec.ROUTES)
            if self.connected and all(self._is_settled(t, None) for t in kinds):
                return
            self._changed.clear()
            await self._changed.wait()

    def version(self) -> str:
        """Of everything that is wanted, as ``Applied`` reports it."""
        return codec.version_of_all(self.want[t] for t in codec.TYPES)

    # -- what the stream says ------------------------------------------------------------------

    def attach(self, out: asyncio.Queue[bytes | None]) -> None:
        if self._out is not None:
            self._out.put_nowait(None)  # Envoy has reconnected; the former stream is dead
        self._out, self._subs, self.connected, self.nack = out, {}, True, None
        self.paused = False
        self._changed.set()

    def detach(self, out: asyncio.Queue[bytes | None]) -> None:
        if self._out is out:
            self._out, self._subs, self.connected = None, {}, False
            self._changed.set()

    def receive(self, request: codec.Request) -> None:
        sub = self._subs.setdefault(request.type_url, _Sub())
        first = not sub.subscribed
        answered = sub.pending.pop(request.nonce, None)
        if request.error:
            if self._is_current(request, answered or {}):
                self.nack = NackError(self.node, request.type_url, request.error)
        elif answered is not None:
            if request.type_url in _WILDCARD:
                sub.acked = {}
            sub.acked.update(answered)
        self._changed.set()
        if not first and request.nonce and request.nonce != sub.nonce:
            return  # a newer response is under way; its answer will carry the subscription
        renamed = request.names != sub.names
        sub.subscribed, sub.names = True, request.names
        if renamed and request.type_url not in _WILDCARD:
            gone = set(sub.sent) - set(request.names)
            for name in gone:  # a name that comes back is to be answered again
                sub.sent.pop(name)
                sub.acked.pop(name, None)
        if first or renamed:
            self._send(request.type_url, sub)

    def _is_current(self, request: codec.Request, refused: Mapping[str, bytes]) -> bool:
        """Whether a refusal is about what is wanted still, not about a change that was undone
        while this Envoy was at it: such a word must not fail the next change."""
        if request.type_url in _WILDCARD:
            return request.nonce == self._subs[request.type_url].nonce
        want = self.want[request.type_url]
        return any(n in want and want[n].digest == digest for n, digest in refused.items())

    def _send(self, type_url: str, sub: _Sub) -> None:
        want = self.want[type_url]
        if not sub.subscribed or self._out is None:
            return
        if type_url in _WILDCARD:
            now = {name: encoded.digest for name, encoded in want.items()}
            if now == sub.sent and (now or sub.empty_sent):
                return
            body, sub.sent, sub.empty_sent = list(want.values()), now, True
        else:
            names = [n for n in sub.names if n in want and sub.sent.get(n) != want[n].digest]
            if not names:
                return
            body = [want[n] for n in names]
            now = {n: want[n].digest for n in names}
            sub.sent.update(now)
        self._nonce += 1
        sub.nonce = str(self._nonce)
        sub.pending[sub.nonce] = now
        version = codec.version_of(want)
        self._out.put_nowait(codec.response(type_url, version, sub.nonce, body))


class AdsServer:
    """Serves every ``EnvoyClient`` that is registered; strangers' streams are closed."""

    def __init__(self) -> None:
        self.sidecars: dict[str, EnvoyClient] = {}
        self._server: grpc.aio.Server | None = None
        self.on_connection: Callable[[EnvoyClient], None] = lambda _sidecar: None

    def register(self, node: str) -> EnvoyClient:
        sidecar = self.sidecars[node] = EnvoyClient(node)
        return sidecar

    def forget(self, node: str) -> None:
        self.sidecars.pop(node, None)

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
        sidecar = self.sidecars.get(first.node) if first else None
        if first is None or sidecar is None:
            return
        out: asyncio.Queue[bytes | None] = asyncio.Queue()
        sidecar.attach(out)
        sidecar.receive(first)

        async def read() -> None:
            try:
                async for request in requests:
                    sidecar.receive(request)
            finally:
                out.put_nowait(None)

        reader = asyncio.create_task(read())
        self.on_connection(sidecar)
        try:
            while (message := await out.get()) is not None:
                yield message
        finally:
            reader.cancel()
            sidecar.detach(out)
            self.on_connection(sidecar)
