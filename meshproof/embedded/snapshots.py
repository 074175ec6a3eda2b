"""From a ``World`` to what every sidecar should have: translate once a scope, encode once.

What is equal is also the same object, from one world to the next and from one sidecar to another:
a hundred sidecars that each know a hundred services are then compared by identity.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping

from meshproof.embedded import gateway as gateway_module
from meshproof.embedded.config.certificate_authority import Authority, KeyPair
from meshproof.embedded.network_faults import NetworkFaults, detoured
from meshproof.istio_names import INGRESS_GATEWAY
from meshproof.translate import (
    build_gateway,
    build_outbound,
    build_secrets,
    build_sidecar,
    outbound_scope,
    proxy_of,
)
from meshproof.translate.workload_selection import select_policies
from meshproof.translate.world import Config, Replica, World
from meshproof.xds import codec
from meshproof.xds.envoy_client import Resources
from meshproof.xds.rollout import Snapshot

_TYPES = {
    "clusters": codec.CLUSTERS,
    "endpoints": codec.ENDPOINTS,
    "listeners": codec.LISTENERS,
    "routes": codec.ROUTES,
}
_OF_A_SIDECAR = ("services", "outside", "destination_rules")
"""What of a world, beside policies, a sidecar's own listeners, clusters and routes depend on."""
_POLICIES = (
    "peer_authentications",
    "authorization_policies",
    "request_authentications",
    "envoy_filters",
    "telemetries",
)
_OF_A_GATEWAY = ("gateways", "tls_secrets", "outside", "request_authentications", "telemetries")
"""The same of a gateway's own listeners and clusters."""
Encoded = Mapping[str, Resources]


def encode(config: Config) -> Encoded:
    return {
        type_url: {n: codec.encode(type_url, r) for n, r in getattr(config, attribute).items()}
        for attribute, type_url in _TYPES.items()
    }


class Snapshots:
    """Keeps what did not change between two worlds; holds every sidecar's key and certificate."""

    def __init__(self, authority: Authority, network: NetworkFaults) -> None:
        self._authority, self._network = authority, network
        self._own: dict[str, tuple[tuple[object, ...], Encoded]] = {}
        self._keys: dict[str, KeyPair] = {}
        self._outbound: dict[tuple[object, ...], Encoded] = {}
        self._last: dict[str, object] = {}
        self._secrets_of: dict[str, Encoded] = {}
        self._merged_of: dict[tuple[str, str], tuple[list[Resources], Resources]] = {}

    def of(
        self, world: World, replicas: Iterable[Replica], access_logs: Mapping[str, str]
    ) -> dict[str, Snapshot]:
        """Snapshots by node; ``access_logs`` names each node's access log file."""
        former, self._outbound = self._outbound, {}
        result = {}
        for replica in replicas:
            proxy = proxy_of(replica)
            detours = self._network.detours(world, proxy)
            key = (outbound_scope(world, proxy), *sorted(detours.items()))
            if key not in self._outbound:
                config = detoured(build_outbound(world, proxy), detours)
                self._outbound[key] = _kept(former.get(key, {}), encode(config))
            result[replica.name] = self._snapshot(
                replica.name,
                self._outbound[key],
                self._sidecar(world, replica, access_logs[replica.name]),
                self._secrets(replica.name, replica.identity),
            )
        return result

    def of_gateway(
        self, world: World, ip: str, ports: Mapping[int, int], access_log: str
    ) -> Snapshot:
        proxy = gateway_module.PROXY
        config = detoured(build_outbound(world, proxy), self._network.detours(world, proxy))
        return self._snapshot(
            INGRESS_GATEWAY,
            encode(config),
            self._listeners_of_gateway(world, ip, ports, access_log),
            self._secrets(INGRESS_GATEWAY, gateway_module.IDENTITY),
        )

    def _listeners_of_gateway(
        self, world: World, ip: str, ports: Mapping[int, int], access_log: str
    ) -> Encoded:
        node, proxy = INGRESS_GATEWAY, gateway_module.PROXY
        own = (self._same(name, getattr(world, name)) for name in _OF_A_GATEWAY)
        depends = (ip, dict(ports), *own)
        known = self._own.get(node)
        if known is None or known[0] != depends:
            made = encode(build_gateway(world, proxy, ip, ports, access_log=access_log))
            known = self._own[node] = (depends, made)
        return known[1]

    def _snapshot(self, node: str, *parts: Encoded) -> Snapshot:
        return Snapshot({t: self._merged(node, t, parts) for t in codec.TYPES})

    def _merged(self, node: str, type_url: str, parts: Iterable[Encoded]) -> Resources:
        """All parts' resources of a type; the former object where the parts are the former ones."""
        found = [part[type_url] for part in parts if part.get(type_url)]
        known = self._merged_of.get((node, type_url))
        if known and len(known[0]) == len(found) and all(map(operator.is_, known[0], found)):
            return known[1]
        merged = found[0] if len(found) == 1 else {n: e for p in found for n, e in p.items()}
        self._merged_of[node, type_url] = (found, merged)
        return merged

    def _sidecar(self, world: World, replica: Replica, access_log: str) -> Encoded:
        depends = (
            replica.ip,
            replica.ports,
            replica.labels,
            *(self._same(name, getattr(world, name)) for name in _OF_A_SIDECAR),
            *_policies(world, replica),
        )
        known = self._own.get(replica.name)
        if known is None or known[0] != depends:
            known = self._own[replica.name] = (
                depends,
                encode(build_sidecar(world, replica, access_log=access_log)),
            )
        return known[1]

    def _same(self, name: str, value: object) -> object:
        """``value``, or the equal object of before: tuples compare what is identical at once."""
        if self._last.get(name) != value:
            self._last[name] = value
        return self._last[name]

    def _secrets(self, node: str, identity: str) -> Encoded:
        if node not in self._keys:
            pair = self._keys[node] = self._authority.issue(identity)
            made = build_secrets(pair.key, pair.chain, self._authority.root_pem)
            encoded = {n: codec.encode(codec.SECRETS, r) for n, r in made.items()}
            self._secrets_of[node] = {codec.SECRETS: encoded}
        return self._secrets_of[node]

    def renew(self) -> None:
        """Give every sidecar a new key and certificate with its next snapshot."""
        self._keys.clear()

    def forget(self, node: str) -> None:
        self._own.pop(node, None)
        self._keys.pop(node, None)
        self._secrets_of.pop(node, None)
        for type_url in codec.TYPES:
            self._merged_of.pop((node, type_url), None)


def _policies(world: World, replica: Replica) -> Iterator[tuple[object, ...]]:
    """Those that select a replica: a policy for others must not make its listeners anew."""
    for name in _POLICIES:
        yield tuple(select_policies(getattr(world, name), replica.namespace, replica.labels))


def _kept(former: Encoded, now: Encoded) -> Encoded:
    """``now``, with the former object for every type that did not change."""
    return {t: former[t] if former.get(t) == r else r for t, r in now.items()}
