"""From a ``World`` to what every sidecar should have: translate once a workload, encode once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from meshproof.embedded import gateway as gateway_module
from meshproof.embedded import xds
from meshproof.embedded.ads import Resources
from meshproof.embedded.ca import Authority, KeyPair
from meshproof.embedded.rollout import Snapshot
from meshproof.translate import gateway, outbound, secrets, sidecar
from meshproof.translate.world import Config, Proxy, Replica, World

_TYPES = {
    "clusters": xds.CLUSTERS,
    "endpoints": xds.ENDPOINTS,
    "listeners": xds.LISTENERS,
    "routes": xds.ROUTES,
}
Encoded = Mapping[str, Resources]


def encode(config: Config) -> Encoded:
    return {
        type_url: {n: xds.encode(type_url, r) for n, r in getattr(config, attribute).items()}
        for attribute, type_url in _TYPES.items()
    }


def _merged(*parts: Encoded) -> Encoded:
    return {t: {n: e for p in parts for n, e in p.get(t, {}).items()} for t in xds.TYPES}


class Snapshots:
    """Keeps what did not change between two worlds; holds every sidecar's key and certificate."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._own: dict[str, tuple[tuple[object, ...], Encoded]] = {}
        self._keys: dict[str, KeyPair] = {}

    def of(
        self, world: World, replicas: Iterable[Replica], access_logs: Mapping[str, str]
    ) -> dict[str, Snapshot]:
        """Snapshots by node; ``access_logs`` names each node's access log file."""
        shared: dict[tuple[object, ...], Encoded] = {}
        result = {}
        for replica in replicas:
            key = (
                replica.namespace,
                replica.workload,
                tuple(sorted(replica.labels.items())),
                replica.service_account,
            )
            if key not in shared:
                shared[key] = encode(outbound(world, _proxy(replica)))
            result[replica.name] = Snapshot(
                _merged(
                    shared[key],
                    self._sidecar(world, replica, access_logs[replica.name]),
                    self._secrets(replica.name, replica.identity),
                )
            )
        return result

    def of_gateway(
        self, world: World, ip: str, ports: Mapping[int, int], access_log: str
    ) -> Snapshot:
        proxy = gateway_module.PROXY
        return Snapshot(
            _merged(
                encode(outbound(world, proxy)),
                encode(gateway(world, proxy, ip, ports, access_log=access_log)),
                self._secrets(gateway_module.NAME, gateway_module.IDENTITY),
            )
        )

    def _sidecar(self, world: World, replica: Replica, access_log: str) -> Encoded:
        depends = (
            replica.ip,
            replica.ports,
            replica.labels,
            world.services,
            world.destination_rules,
        )
        known = self._own.get(replica.name)
        if known is None or known[0] != depends:
            known = self._own[replica.name] = (
                depends,
                encode(sidecar(world, replica, access_log=access_log)),
            )
        return known[1]

    def _secrets(self, node: str, identity: str) -> Encoded:
        if node not in self._keys:
            self._keys[node] = self._authority.issue(identity)
        pair = self._keys[node]
        made = secrets(pair.key, pair.chain, self._authority.root_pem)
        return {xds.SECRETS: {n: xds.encode(xds.SECRETS, r) for n, r in made.items()}}

    def renew(self) -> None:
        """Give every sidecar a new key and certificate with its next snapshot."""
        self._keys.clear()

    def forget(self, node: str) -> None:
        self._own.pop(node, None)
        self._keys.pop(node, None)


def _proxy(replica: Replica) -> Proxy:
    return Proxy(
        "sidecar", replica.namespace, replica.workload, replica.labels, replica.service_account
    )
