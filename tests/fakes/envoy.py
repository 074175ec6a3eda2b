"""An Envoy's side of an ADS stream: subscribes, keeps what it is sent, answers as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from envoy.service.discovery.v3 import discovery_pb2

from meshproof.xds import codec
from meshproof.xds.envoy_client import EnvoyClient


class FakeEnvoy:
    """``refuse(type_url, names)`` returns a NACK's text, or empty to acknowledge."""

    def __init__(
        self, client: EnvoyClient, refuse: Callable[[str, list[str]], str] = lambda *_: ""
    ) -> None:
        self.client, self.refuse = client, refuse
        self.out: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.order: list[tuple[str, list[str]]] = []
        """Every response in the order received: type and resource names."""
        self.silent = False
        self.warming = False
        """Hold the ACK of clusters back until endpoints arrive, as Envoy does while a replaced
        cluster warms (ClusterManagerImpl::updateClusterCounts pauses CDS)."""
        self._held = ""
        self.nonces: dict[str, str] = {}
        self.names: dict[str, tuple[str, ...]] = {}

    def connect(self) -> None:
        self.client.attach(self.out)

    def subscribe(self, type_url: str, *names: str) -> None:
        self.names[type_url] = names
        self._say(type_url, self.nonces.get(type_url, ""), "")

    def _say(self, type_url: str, nonce: str, error: str) -> None:
        self.client.receive(
            codec.Request(
                type_url, self.client.node, self.names.get(type_url, ()), "", nonce, error
            )
        )

    def take(self) -> tuple[str, list[str], str] | None:
        """The next response, unanswered; None when there is none."""
        if self.out.empty():
            return None
        data = self.out.get_nowait()
        assert data is not None
        message = discovery_pb2.DiscoveryResponse.FromString(data)
        self.nonces[message.type_url] = message.nonce
        names = [_name(message.type_url, r.value) for r in message.resources]
        self.order.append((message.type_url, names))
        return message.type_url, names, message.nonce

    def must_take(self) -> tuple[str, list[str], str]:
        response = self.take()
        assert response is not None, "the server sent nothing"
        return response

    def answer(self, type_url: str, nonce: str, error: str = "") -> None:
        self._say(type_url, nonce, error)

    async def serve(self) -> None:
        """Answer everything until cancelled, as an Envoy does."""
        while True:
            await asyncio.sleep(0)
            if not self.silent and (response := self.take()):
                type_url, names, nonce = response
                if self.warming and type_url == codec.CLUSTERS:
                    self._held = nonce
                    continue
                if self._held and type_url == codec.ENDPOINTS:
                    self.answer(codec.CLUSTERS, self._held)
                    self._held = ""
                self.answer(type_url, nonce, self.refuse(type_url, names))


def _name(type_url: str, value: bytes) -> str:
    message = codec._MESSAGE[type_url].FromString(value)
    return str(message.cluster_name if type_url == codec.ENDPOINTS else message.name)


def cluster(name: str, timeout: str = "1s") -> codec.Encoded:
    return codec.encode(codec.CLUSTERS, {"name": name, "type": "EDS", "connect_timeout": timeout})


def endpoints(name: str, port: int) -> codec.Encoded:
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    return codec.encode(
        codec.ENDPOINTS,
        {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
        },
    )


def route(name: str, cluster_name: str, timeout: str = "15s") -> codec.Encoded:
    rule = {"match": {"prefix": "/"}, "route": {"cluster": cluster_name, "timeout": timeout}}
    vhost = {"name": "v", "domains": ["*"], "routes": [rule]}
    return codec.encode(codec.ROUTES, {"name": name, "virtual_hosts": [vhost]})


def tcp_listener(name: str, cluster_name: str) -> codec.Encoded:
    """A listener whose connections go to a cluster as bytes."""
    proxy = "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"
    config = {"@type": proxy, "stat_prefix": name, "cluster": cluster_name}
    chain = {"filters": [{"name": "tcp_proxy", "typed_config": config}]}
    return codec.encode(codec.LISTENERS, {"name": name, "filter_chains": [chain]})
