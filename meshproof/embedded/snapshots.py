"""From a ``World`` to what every Envoy should have: translated once per scope, encoded once.

Equal parts are the same object, from one world to the next and from one sidecar to another: a
hundred sidecars that each know a hundred services are then compared by identity.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping

from meshproof.embedded import patches
from meshproof.embedded.config.certificate_authority import Authority, KeyPair
from meshproof.embedded.config.encoding import Encoded, encode
from meshproof.embedded.config.own_rules import OwnRules
from meshproof.embedded.gateway_names import identity_of, node_of
from meshproof.embedded.network_faults import NetworkFaults, apply_detours
from meshproof.host.tcp_fault_proxy import Place
from meshproof.memo import Memo
from meshproof.translate.connect_loops import loop_inputs, loops
from meshproof.translate.envoy_config import (
    build_gateway,
    build_outbound,
    build_outbound_clusters,
    build_routes,
    build_sidecar,
    cluster_inputs,
    proxy_of,
)
from meshproof.translate.gateway_servers import route_tables
from meshproof.translate.outbound_scope import outbound_scope
from meshproof.translate.provider_hosts import providers_of
from meshproof.translate.sidecar_scope import governing_sidecar
from meshproof.translate.tls import build_secrets
from meshproof.translate.workload_selection import select_policies
from meshproof.translate.world import Config, Proxy, Replica, World
from meshproof.xds import codec
from meshproof.xds.envoy_client import Resources
from meshproof.xds.rollout import Snapshot

_SIDECAR_INPUTS = (
    *("services", "outside", "token_keys", "mesh", "proxy_configs"),
    "wasm_modules",
)
"""Fields of a world that a sidecar's own listeners, clusters and routes depend on, beside
policies."""
_POLICIES = (
    "peer_authentications",
    "authorization_policies",
    "request_authentications",
    "envoy_filters",
    "telemetries",
    "wasm_plugins",
)
_GATEWAY_INPUTS = (
    *("gateways", "services", "tls_secrets", "outside", "request_authentications", "token_keys"),
    *("telemetries", "mesh", "proxy_configs", "wasm_plugins", "wasm_modules"),
)
"""The same for a gateway's own listeners and clusters."""
_CONNECTION_INPUTS = (
    *("virtual_services", "destination_rules", "services", "service_entries"),
    "authorization_policies",
)
"""And for a gateway that routes connections, whose routes are part of its listeners."""


class Snapshots:
    """Reuses what did not change between two worlds; holds every Envoy's key and certificate."""

    def __init__(self, authority: Authority, network: NetworkFaults) -> None:
        self._authority, self._network = authority, network
        self._own: dict[str, tuple[tuple[object, ...], Encoded]] = {}
        self._keys: dict[str, KeyPair] = {}
        self._identities: dict[str, str] = {}
        self._outbound: dict[tuple[object, ...], Encoded] = {}
        self._clusters: dict[tuple[object, ...], Memo[Encoded]] = {}
        self._gateway_clusters: dict[str, tuple[Mapping[Place, Place], Memo[Encoded]]] = {}
        self._gateway_routes: dict[str, Encoded] = {}
        self._last: dict[str, object] = {}
        self._own_rules = OwnRules()
        self._loops: Memo[tuple[tuple[int, str], ...]] = Memo()
        self._secrets_of: dict[str, Encoded] = {}
        self._merged_of: dict[tuple[str, str], tuple[list[Resources], Resources]] = {}

    def of(
        self, world: World, replicas: Iterable[Replica], access_logs: Mapping[str, str]
    ) -> dict[str, Snapshot]:
        """Snapshots by node; ``access_logs`` names each node's access log file."""
        previous, self._outbound = self._outbound, {}
        clusters, self._clusters = self._clusters, {}
        result, common = {}, self._common_inputs(world)
        for replica in replicas:
            proxy = proxy_of(replica)
            detours = self._network.detours(world, proxy)
            filters = patches.key_of(world, proxy)
            key = (outbound_scope(world, proxy), frozenset(detours.items()), filters)
            if key not in self._outbound:
                self._clusters[key] = clusters.get(key, Memo())
                shared = _encode_shared(world, proxy, detours, patched=bool(filters))
                self._outbound[key] = _reuse(previous.get(key, {}), shared)
            result[replica.name] = self._snapshot(
                replica.name,
                {}
                if filters
                else self._encode_clusters(self._clusters[key], world, proxy, detours),
                self._outbound[key],
                self._sidecar(world, replica, access_logs[replica.name], common),
                self._secrets(replica.name, replica.identity) if replica.sidecar else {},
            )
        return result

    def of_gateway(
        self, world: World, proxy: Proxy, ip: str, ports: Mapping[int, int], access_log: str
    ) -> Snapshot:
        """``ports`` maps the port of a Gateway server to the one that is bound."""
        node, detours = node_of(proxy), self._network.detours(world, proxy)
        filters = patches.key_of(world, proxy)
        shared = _encode_shared(world, proxy, detours, patched=bool(filters))
        routes = _reuse(self._gateway_routes.get(node, {}), shared)
        self._gateway_routes[node], memo = routes, self._gateway_memo(node, detours)
        return self._snapshot(
            node,
            {} if filters else self._encode_clusters(memo, world, proxy, detours),
            routes,
            self._gateway(world, proxy, ip, ports, access_log),
            self._secrets(node, identity_of(proxy, world.mesh.trust_domain)),
        )

    def _gateway_memo(self, node: str, detours: Mapping[Place, Place]) -> Memo[Encoded]:
        """Of a gateway's clusters, with these detours."""
        kept = self._gateway_clusters.get(node)
        if kept is None or kept[0] != detours:
            kept = self._gateway_clusters[node] = (dict(detours), Memo())
        return kept[1]

    @staticmethod
    def _encode_clusters(
        memo: Memo[Encoded], world: World, proxy: Proxy, detours: Mapping[Place, Place]
    ) -> Encoded:
        """Clusters and endpoints; those of before where nothing has changed that they depend on."""

        def build() -> Encoded:
            return encode(apply_detours(build_outbound_clusters(world, proxy), detours))

        return memo.get(cluster_inputs(world), build)

    def _gateway(
        self, world: World, proxy: Proxy, ip: str, ports: Mapping[int, int], access_log: str
    ) -> Encoded:
        node = node_of(proxy)
        names: tuple[str, ...] = _GATEWAY_INPUTS
        if any(not table.http for table in route_tables(world, proxy)):
            names = (*names, *_CONNECTION_INPUTS)
        own = (self._same(name, getattr(world, name)) for name in names)
        guards = select_policies(world.authorization_policies, proxy.namespace, proxy.labels)
        providers = self._same("providers", providers_of(world))
        filters = _patch_inputs(world, proxy)
        inputs = (proxy, ip, dict(ports), *own, *guards, providers, *filters)
        cached = self._own.get(node)
        if cached is None or cached[0] != inputs:
            config = build_gateway(world, proxy, ip, ports, access_log=access_log)
            encoded = encode(patches.own(world, proxy, config))
            cached = self._own[node] = (inputs, encoded)
        return cached[1]

    def _snapshot(self, node: str, *parts: Encoded) -> Snapshot:
        return Snapshot({t: self._merged(node, t, parts) for t in codec.TYPES})

    def _merged(self, node: str, type_url: str, parts: Iterable[Encoded]) -> Resources:
        """All parts' resources of a type; the same object as before where the parts are."""
        inputs = [part[type_url] for part in parts if part.get(type_url)]
        cached = self._merged_of.get((node, type_url))
        if cached and len(cached[0]) == len(inputs) and all(map(operator.is_, cached[0], inputs)):
            return cached[1]
        merged = inputs[0] if len(inputs) == 1 else {n: e for p in inputs for n, e in p.items()}
        self._merged_of[node, type_url] = (inputs, merged)
        return merged

    def _common_inputs(self, world: World) -> object:
        """What every sidecar's own configuration depends on, whichever replica it is of; the same
        object as before where all of it is."""
        fields = (self._same(name, getattr(world, name)) for name in _SIDECAR_INPUTS)
        outbound = (self._same(n, v) for n, v in self._outbound_inputs(world).items())
        providers = self._same("providers", providers_of(world))
        return self._same("common", (*fields, *outbound, providers))

    def _sidecar(self, world: World, replica: Replica, access_log: str, common: object) -> Encoded:
        inputs = (
            replica.ip,
            replica.ports,
            replica.labels,
            replica.probe,
            replica.sidecar,
            common,
            *_policies(world, replica),
            self._own_rules.of(world, replica),
            governing_sidecar(world.sidecars, proxy_of(replica)),
            *_patch_inputs(world, proxy_of(replica)),
        )
        cached = self._own.get(replica.name)
        if cached is None or cached[0] != inputs:
            cached = self._own[replica.name] = (
                inputs,
                encode(_build_own(world, replica, access_log)),
            )
        return cached[1]

    def _outbound_inputs(self, world: World) -> dict[str, object]:
        """What listeners of outbound traffic depend on besides: in a pod on all but the rules for
        HTTP, else on the ports of HTTP alone."""
        if not world.pods:
            return {"loops": self._loops.get(loop_inputs(world), lambda: loops(world))}
        rules = (r for r in world.virtual_services if r.spec.tls or r.spec.tcp)
        bytes_of_pods = any(
            s.headless and any(p.kind != "HTTP" for p in s.ports) for s in world.services
        ) or any(e.spec.resolution == "NONE" and e.spec.addresses for e in world.service_entries)
        return {
            "service_entries": world.service_entries,
            "sidecars": world.sidecars,
            "destination_rules": world.destination_rules,
            "addresses": world.addresses,
            "l4_rules": tuple(rules),
            "pods": tuple((r.ip, r.ready) for r in world.replicas) if bytes_of_pods else (),
        }

    def _same(self, name: str, value: object) -> object:
        """``value``, or the equal object of before: tuples compare identical members first."""
        if self._last.get(name) != value:
            self._last[name] = value
        return self._last[name]

    def _secrets(self, node: str, identity: str) -> Encoded:
        if node not in self._keys or self._identities.get(node) != identity:
            self._identities[node] = identity
            pair = self._keys[node] = self._authority.issue(identity)
            resources = build_secrets(pair.key, pair.chain, self._authority.root_pem)
            encoded = {n: codec.encode(codec.SECRETS, r) for n, r in resources.items()}
            self._secrets_of[node] = {codec.SECRETS: encoded}
        return self._secrets_of[node]

    def renew(self) -> None:
        """Give every Envoy a new key and certificate with its next snapshot."""
        self._keys.clear()

    def forget(self, node: str) -> None:
        self._own.pop(node, None)
        self._keys.pop(node, None)
        self._identities.pop(node, None)
        self._secrets_of.pop(node, None)
        for type_url in codec.TYPES:
            self._merged_of.pop((node, type_url), None)


def _build_own(world: World, replica: Replica, access_log: str) -> Config:
    config = build_sidecar(world, replica, access_log=access_log)
    return patches.own(world, proxy_of(replica), config)


def _patch_inputs(world: World, proxy: Proxy) -> tuple[object, ...]:
    """EnvoyFilters, and the replicas that clusters of theirs may lead to."""
    filters = patches.key_of(world, proxy)
    return (filters, world.replicas) if filters else ()


def _policies(world: World, replica: Replica) -> Iterator[tuple[object, ...]]:
    """Those that select a replica: a policy for others must not rebuild its listeners."""
    for name in _POLICIES:
        yield tuple(select_policies(getattr(world, name), replica.namespace, replica.labels))


def _encode_shared(
    world: World, proxy: Proxy, detours: Mapping[Place, Place], *, patched: bool
) -> Encoded:
    """The routes; under EnvoyFilters, which may patch all, the clusters too."""
    if not patched:
        return encode(build_routes(world, proxy))
    config = patches.outbound(world, proxy, build_outbound(world, proxy))
    return encode(apply_detours(config, detours))


def _reuse(previous: Encoded, current: Encoded) -> Encoded:
    """``current``, with the previous object for every type that did not change."""
    return {t: previous[t] if previous.get(t) == r else r for t, r in current.items()}
