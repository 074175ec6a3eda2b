"""Gives ``meshproof.explain`` the Envoys of a mesh: of a running one, or of files alone.

For a running mesh it is the configuration that each sidecar was sent over xDS.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from meshproof.admission.store import Store
from meshproof.embedded import patches
from meshproof.embedded.config.encoding import encode
from meshproof.embedded.config.target_ports import target_ports
from meshproof.embedded.config.world_builder import build_world, istio_gateways
from meshproof.embedded.gateway_names import GATEWAY, INGRESS, identity_of, node_of
from meshproof.embedded.pod.deployments import build_workloads
from meshproof.embedded.pod.workload import Workload
from meshproof.embedded.token_keys.key_sources import key_sources
from meshproof.explain import Explanation, Fleet, LinkFault, Proxy
from meshproof.explain.jwt_authn import assume_keys
from meshproof.explain.question import Question, explain_question
from meshproof.explain.string_match import Json
from meshproof.model.pod_network import Addresses
from meshproof.project import Project
from meshproof.translate.envoy_config import build_gateway, build_outbound, build_sidecar, proxy_of
from meshproof.translate.gateway_workloads import (
    gateway_replica,
    gateway_workloads,
    server_ports,
)
from meshproof.translate.name_table import build_name_table, search_name
from meshproof.translate.world import Address, ContainerPort, Outside, Replica, World
from meshproof.translate.world import Proxy as GatewayProxy
from meshproof.xds import codec

if TYPE_CHECKING:
    from meshproof.embedded.engine import Engine
    from meshproof.xds.envoy_client import Resources

_GATEWAY_IPS = "203.0.113.{}"


class _Decoded(Mapping[str, Json]):
    """Resources by name, each decoded at its first use."""

    def __init__(self, type_url: str, *parts: Resources) -> None:
        self._type = type_url
        self._encoded = {name: resource for part in parts for name, resource in part.items()}
        self._decoded: dict[str, Json] = {}

    def __getitem__(self, name: str) -> Json:
        if name not in self._decoded:
            self._decoded[name] = codec.decode(self._type, self._encoded[name])
        return self._decoded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._encoded)

    def __len__(self) -> int:
        return len(self._encoded)


def _proxy(replica: Replica, *parts: Mapping[str, Resources]) -> Proxy:
    clusters, endpoints, listeners, routes = _resources(parts)
    return Proxy(
        name=replica.name,
        namespace=replica.namespace,
        workload=f"{replica.namespace}/{replica.workload}",
        identity=replica.identity,
        ip=replica.ip,
        version=replica.labels.get("version", ""),
        app=replica.labels.get("app", ""),
        sidecar=replica.sidecar,
        capture=replica.capture,
        clusters=clusters,
        endpoints=endpoints,
        listeners=listeners,
        routes=routes,
    )


def _gateway(
    world: World, gateway: GatewayProxy, ip: str, *parts: Mapping[str, Resources]
) -> Proxy:
    clusters, endpoints, listeners, routes = _resources(parts)
    key = (gateway.namespace, gateway.workload)
    return Proxy(
        name=node_of(gateway),
        namespace=gateway.namespace,
        workload=GATEWAY if key == INGRESS else "/".join(key),
        identity=identity_of(gateway, world.mesh.trust_domain),
        ip=ip,
        gateway=True,
        clusters=clusters,
        endpoints=endpoints,
        listeners=listeners,
        routes=routes,
    )


def _resources(parts: Sequence[Mapping[str, Resources]]) -> list[Mapping[str, Json]]:
    types = (codec.CLUSTERS, codec.ENDPOINTS, codec.LISTENERS, codec.ROUTES)
    return [_Decoded(t, *(p.get(t, {}) for p in parts)) for t in types]


def running_fleet(engine: Engine) -> Fleet:
    """Every Envoy of a mesh with the configuration it was sent last, and network faults."""
    world = engine.world()
    resources = {r.name: r.envoy.client.desired for r in engine.fleet.runners}
    proxies = [_proxy(r, resources[r.name]) for r in world.replicas if r.name in resources]
    gateways = engine.gateways.runners
    proxies += [_gateway(world, r.proxy, r.ip, r.envoy.client.desired) for r in gateways]
    link_faults = {
        proxy.address: LinkFault(real, fault.kind)
        for fault in engine.network.select(None)
        for real, proxy in fault.proxies.items()
    }
    return _fleet(world, proxies, link_faults)


def planned_fleet(store: Store, project: Project) -> Fleet:
    """The Envoys that a mesh of these resources would have, if every replica were ready.

    Raises Refused for resources that cannot run.
    """
    world = _planned_world(store, project)
    proxies = []
    for replica in world.replicas:
        proxy = proxy_of(replica)
        shared = encode(patches.outbound(world, proxy, build_outbound(world, proxy)))
        own = encode(patches.own(world, proxy, build_sidecar(world, replica)))
        proxies.append(_proxy(replica, shared, own))
    for replica, gateway in zip(world.gateway_replicas, _gateways(store), strict=True):
        own_part = build_gateway(world, gateway, replica.ip, {})
        own = encode(patches.own(world, gateway, own_part))
        shared = encode(patches.outbound(world, gateway, build_outbound(world, gateway)))
        proxies.append(_gateway(world, gateway, replica.ip, shared, own))
    return _fleet(world, proxies, {})


def _fleet(
    world: World, proxies: Sequence[Proxy], faults: Mapping[tuple[str, int] | str, LinkFault]
) -> Fleet:
    table = build_name_table(world)
    pipes = {
        p.pipe: (p.listen.ip, p.listen.port) for r in world.replicas for p in r.ports if p.pipe
    }
    for host in world.outside:
        pipes |= {path: (host.ports[n].ip, host.ports[n].port) for n, path in host.pipes.items()}
    return Fleet(
        tuple(proxies),
        _outside(world.outside),
        faults,
        pipes,
        partial(search_name, table),
        world.pods,
    )


def _gateways(store: Store) -> tuple[GatewayProxy, ...]:
    return gateway_workloads(store.lowered)


def _planned_world(store: Store, project: Project) -> World:
    """With addresses of reserved blocks (RFC 5737, RFC 2544) and the declared ports."""
    replicas: list[Replica] = []
    for workload in build_workloads(store, project):
        port_names = {number: name for name, number in workload.ports}
        target_numbers = target_ports(store.services, workload.namespace, workload.labels)
        for number in range(1, workload.replicas + 1):
            ip = f"198.18.{len(replicas) // 250}.{len(replicas) % 250 + 1}"
            ports = tuple(
                ContainerPort(
                    port_names.get(p, ""),
                    p,
                    Address(ip, p),
                    Address(path="/app"),
                    f"/pod/{ip}:{p}" if project.pods else "",
                )
                for p in sorted({*port_names, *target_numbers})
            )
            replicas.append(_replica(workload, number, ip, ports))
    outside = [
        Outside(
            name,
            {port: Address(f"192.0.2.{10 + index}", port) for port in declared.ports},
            {port: f"/outside/{index}:{port}" for port in declared.ports} if project.pods else {},
        )
        for index, (host, declared) in enumerate(project.outside.items())
        for name in (host, *declared.aliases)
    ]
    keys = {source: assume_keys(source.url) for source in key_sources(store)}
    declared = istio_gateways(store)
    gateways = []
    for number, gateway in enumerate(_gateways(store)):
        own = {port: port for port in server_ports(declared, gateway)}
        ip = _GATEWAY_IPS.format(number + 1)
        gateways.append(gateway_replica(gateway, node_of(gateway), ip, own, store.services))
    return build_world(
        store,
        replicas,
        outside,
        addresses=Addresses() if project.pods else None,
        gateway_replicas=gateways,
        token_keys=keys,
        mesh=project.mesh_config,
    )


def _replica(workload: Workload, number: int, ip: str, ports: tuple[ContainerPort, ...]) -> Replica:
    return Replica(
        name=f"{workload.name}-{number}",
        namespace=workload.namespace,
        workload=workload.name,
        labels=workload.labels,
        service_account=workload.service_account,
        ip=ip,
        ports=ports,
        ready=True,
        sidecar=workload.sidecar,
        capture=workload.capture,
    )


def _outside(hosts: Sequence[Outside]) -> dict[tuple[str, int], list[str]]:
    """The names of each address."""
    names: dict[tuple[str, int], list[str]] = {}
    for host in hosts:
        for address in host.ports.values():
            names.setdefault((address.ip, address.port), []).append(host.host)
    return names


def explain_files(store: Store, project: Project, question: Question) -> Explanation:
    """Without a mesh. Raises Refused for resources that cannot run, UsageError as
    ``explain_question``."""
    return explain_question(planned_fleet(store, project), store.lowered, question)
