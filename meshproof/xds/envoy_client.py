"""The ADS server's view of one Envoy: what it should have, what was sent, what it acknowledged.

``wait_acknowledged`` is the mesh's only notion of "this Envoy has it".

Envoy's behaviour relied on: ACK and NACK carry the nonce of the response they answer; a request
with a stale nonce is to be ignored unless it changes the subscription; after a NACK the previous
resources stay (for routes and secrets all of them; clusters and listeners not atomically).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from meshproof.xds import codec

_WILDCARD = (codec.CLUSTERS, codec.LISTENERS)
"""Types that an Envoy subscribes to as a whole, not by name."""
Resources = Mapping[str, codec.Encoded]


class NackError(Exception):
    """An Envoy refused a configuration; ``text`` is Envoy's own message."""

    def __init__(self, node: str, type_url: str, text: str) -> None:
        self.node, self.type_url, self.text = node, type_url, text
        super().__init__(f"{node} refused {type_url.rsplit('.', 1)[-1]}: {text}")


@dataclass
class _Subscription:
    """One resource type on one stream."""

    active: bool = False
    names: tuple[str, ...] = ()
    nonce: str = ""
    sent: dict[str, bytes] = field(default_factory=dict)
    """Digests of what was sent, by name."""
    acked: dict[str, bytes] = field(default_factory=dict)
    pending: dict[str, dict[str, bytes]] = field(default_factory=dict)
    """By nonce: digests of what a response carries, until it is answered."""
    empty_sent: bool = False

    def drop_all_but(self, names: tuple[str, ...]) -> None:
        """Envoy has given up the others, and needs them again if it asks for them again: also if
        it says so with a stale nonce, and has them back in its next request."""
        self.names = tuple(name for name in self.names if name in names)
        for name in set(self.sent) - set(names):
            self.sent.pop(name)
            self.acked.pop(name, None)


class EnvoyClient:
    """One Envoy. Use it in the server's event loop only."""

    def __init__(self, node: str) -> None:
        self.node = node
        self.desired: dict[str, Resources] = {t: {} for t in codec.TYPES}
        self.connected = False
        self.paused = False
        """Its process is stopped: it keeps its stream, and does not answer."""
        self.nack: NackError | None = None
        self._subscriptions: dict[str, _Subscription] = {}
        self._out: asyncio.Queue[bytes | None] | None = None
        self._changed = asyncio.Event()
        self._nonce = 0

    # -- the desired configuration -------------------------------------------------------------

    def set(self, type_url: str, resources: Resources, *, resend: Iterable[str] = ()) -> None:
        """Replace the desired resources of a type, and send what the current stream lacks.

        ``resend`` names resources to send even if they are unchanged: Envoy warms a replaced
        cluster only when its endpoints are sent again.
        """
        self.desired[type_url] = resources
        subscription = self._subscriptions.get(type_url)
        if subscription is None:
            return
        for name in resend:
            subscription.sent.pop(name, None)
            subscription.acked.pop(name, None)
        self._send(type_url, subscription)

    async def wait_acknowledged(self, type_url: str, names: Iterable[str] | None = None) -> None:
        """Return when this Envoy has acknowledged what is desired of a type (of ``names``).

        Raises NackError when it refuses. An Envoy that is not connected, or is paused, is not
        waited for: it takes everything when it comes back.
        """
        selected = None if names is None else tuple(names)
        while True:
            if self.nack is not None:
                raise self.nack
            if not self.responsive or self._is_acknowledged(type_url, selected):
                return
            self._changed.clear()
            await self._changed.wait()

    @property
    def responsive(self) -> bool:
        """Whether it can acknowledge anything now."""
        return self.connected and not self.paused

    def pause(self) -> None:
        self.paused = True
        self._changed.set()

    def resume(self) -> None:
        self.paused = False
        self._changed.set()

    async def wait_current(self) -> None:
        """Return when all that is desired is acknowledged, or when it is not responsive."""
        with contextlib.suppress(NackError):  # of a change that was undone meanwhile
            for type_url in codec.TYPES:
                subscription = self._subscriptions.get(type_url)
                by_name = type_url in (codec.ROUTES, codec.SECRETS)
                if subscription is not None:
                    await self.wait_acknowledged(type_url, subscription.names if by_name else None)

    def _is_acknowledged(self, type_url: str, names: tuple[str, ...] | None) -> bool:
        subscription = self._subscriptions.get(type_url)
        desired = self.desired[type_url]
        expected = [n for n in (desired if names is None else names) if n in desired]
        if type_url in (codec.ROUTES, codec.SECRETS):
            referenced = self._referenced(type_url)
            expected = [n for n in expected if n in referenced]
        if subscription is None:
            return not expected
        if type_url in _WILDCARD and subscription.nonce in subscription.pending:
            return False  # after an undone change, an old ACK may be for what is desired again
        if names is None and type_url in _WILDCARD and set(subscription.acked) != set(desired):
            return False
        return all(subscription.acked.get(n) == desired[n].digest for n in expected)

    def _referenced(self, type_url: str) -> frozenset[str]:
        """What this Envoy has subscribed to by name, or will: a gateway without a Gateway asks for
        no routes, for example, and would never acknowledge any."""
        subscription = self._subscriptions.get(type_url)
        referrers = (codec.LISTENERS, codec.CLUSTERS)
        referenced = (e.names for t in referrers for e in self.desired[t].values())
        return frozenset(subscription.names if subscription else ()).union(*referenced)

    async def wait_initialised(self) -> None:
        """Return when the first configuration, listeners and their routes, is acknowledged."""
        while True:
            if self.nack is not None:
                raise self.nack
            kinds = (codec.CLUSTERS, codec.LISTENERS, codec.SECRETS, codec.ROUTES)
            if self.connected and all(self._is_acknowledged(t, None) for t in kinds):
                return
            self._changed.clear()
            await self._changed.wait()

    def version(self) -> str:
        """Of everything that is desired, as ``Applied`` reports it."""
        return codec.version_of_all(self.desired[t] for t in codec.TYPES)

    # -- the stream ----------------------------------------------------------------------------

    def attach(self, out: asyncio.Queue[bytes | None]) -> None:
        if self._out is not None:
            self._out.put_nowait(None)  # Envoy has reconnected; the previous stream is dead
        self._out, self._subscriptions, self.connected, self.nack = out, {}, True, None
        self.paused = False
        self._changed.set()

    def detach(self, out: asyncio.Queue[bytes | None]) -> None:
        if self._out is out:
            self._out, self._subscriptions, self.connected = None, {}, False
            self._changed.set()

    def receive(self, request: codec.Request) -> None:
        subscription = self._subscriptions.setdefault(request.type_url, _Subscription())
        first = not subscription.active
        response = subscription.pending.pop(request.nonce, None)
        if request.error:
            if self._is_current(request, response or {}):
                self.nack = NackError(self.node, request.type_url, request.error)
        elif response is not None:
            if request.type_url in _WILDCARD:
                subscription.acked = {}
            subscription.acked.update(response)
        if request.type_url not in _WILDCARD:
            subscription.drop_all_but(request.names)
        self._changed.set()
        if not first and request.nonce and request.nonce != subscription.nonce:
            return  # a newer response is under way; the answer to it will carry the subscription
        renamed = request.names != subscription.names
        subscription.active, subscription.names = True, request.names
        if first or renamed:
            self._send(request.type_url, subscription)

    def _is_current(self, request: codec.Request, refused: Mapping[str, bytes]) -> bool:
        """Whether a NACK is about what is still desired, not about a change that was undone
        meanwhile: that must not fail the next change."""
        if request.type_url in _WILDCARD:
            return request.nonce == self._subscriptions[request.type_url].nonce
        desired = self.desired[request.type_url]
        return any(n in desired and desired[n].digest == digest for n, digest in refused.items())

    def _send(self, type_url: str, subscription: _Subscription) -> None:
        desired = self.desired[type_url]
        if not subscription.active or self._out is None:
            return
        if type_url in _WILDCARD:
            digests = {name: encoded.digest for name, encoded in desired.items()}
            if digests == subscription.sent and (digests or subscription.empty_sent):
                return
            body, subscription.sent, subscription.empty_sent = list(desired.values()), digests, True
        else:
            names = [
                n
                for n in subscription.names
                if n in desired and subscription.sent.get(n) != desired[n].digest
            ]
            if not names:
                return
            body = [desired[n] for n in names]
            digests = {n: desired[n].digest for n in names}
            subscription.sent.update(digests)
        self._nonce += 1
        subscription.nonce = str(self._nonce)
        subscription.pending[subscription.nonce] = digests
        version = codec.version_of(desired)
        self._out.put_nowait(codec.build_response(type_url, version, subscription.nonce, body))
