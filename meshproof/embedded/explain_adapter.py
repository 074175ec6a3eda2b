"""The Envoys of a mesh for ``meshproof.explain``: of one that runs, or of files alone.

Of a running mesh it is what each sidecar was given, as it went over the wire.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from meshproof import workloads as names
from meshproof.admission.store import Store
from meshproof.embedded import gateway as gateways
from meshproof.embedded.config.build_world import target_ports, world
from meshproof.embedded.engine import Engine
from meshproof.embedded.pod.deployments import workloads
from meshproof.embedded.pod.workload import Workload
from meshproof.embedded.snapshots import encode
from meshproof.explain import Explanation, Fleet, LinkFault, Proxy, explain, request_of
from meshproof.explain.origin import Placed, RuleOrigin
from meshproof.explain.string_match import Json
from meshproof.istio_names import INGRESS_GATEWAY
from meshproof.model.resource import Resource
from meshproof.project import Project
from meshproof.sources.location import FieldPath
from meshproof.translate import build_gateway, build_outbound, build_sidecar, proxy_of
from meshproof.translate.world import Address, Config, ContainerPort, Outside, Replica, World
from meshproof.xds import codec
from meshproof.xds.envoy_client import Resources

GATEWAY = "gateway"


class _Decoded(Mapping[str, Json]):
    """Resources by name, each read when it is first asked for."""

    def __init__(self, type_url: str, *parts: Resources) -> None:
        self._type = type_url
        self._encoded = {name: one for part in parts for name, one in part.items()}
        self._known: dict[str, Json] = {}

    def __getitem__(self, name: str) -> Json:
        if name not in self._known:
            self._known[name] = codec.decode(self._type, self._encoded[name])
        return self._known[name]

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
        clusters=clusters,
        endpoints=endpoints,
        listeners=listeners,
        routes=routes,
    )


def _gateway(ip: str, *parts: Mapping[str, Resources]) -> Proxy:
    clusters, endpoints, listeners, routes = _resources(parts)
    return Proxy(
        name=INGRESS_GATEWAY,
        namespace=gateways.PROXY.namespace,
        workload=GATEWAY,
        identity=gateways.IDENTITY,
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


def running(engine: Engine) -> Fleet:
    """Every Envoy of a mesh with what it was given last, network faults included."""
    now = engine.world()
    wanted = {r.name: r.envoy.client.desired for r in engine.fleet.runners}
    proxies = [_proxy(r, wanted[r.name]) for r in now.replicas if r.name in wanted]
    proxies.append(_gateway(engine.gateway.ip, engine.gateway.envoy.client.desired))
    ways = {
        relay.place: LinkFault(real, fault.kind)
        for fault in engine.network.chosen(None)
        for real, relay in fault.relays.items()
    }
    return Fleet(tuple(proxies), _outside(now.outside), ways)


def planned(store: Store, project: Project) -> Fleet:
    """What a mesh of these resources would give its Envoys, if every replica were ready.

    Raises Refused for what cannot run.
    """
    made = _made_up(store, project)
    proxies = []
    for replica in made.replicas:
        shared = encode(build_outbound(made, proxy_of(replica)))
        proxies.append(_proxy(replica, shared, encode(build_sidecar(made, replica))))
    proxies.append(_planned_gateway(made))
    return Fleet(tuple(proxies), _outside(made.outside))


def _planned_gateway(made: World) -> Proxy:
    own: Config = build_gateway(made, gateways.PROXY, "192.0.2.1", {})
    return _gateway("192.0.2.1", encode(build_outbound(made, gateways.PROXY)), encode(own))


def _made_up(store: Store, project: Project) -> World:
    """Addresses are of blocks that are nobody's (RFC 5737, RFC 2544), ports those declared."""
    replicas: list[Replica] = []
    for workload in workloads(store, project):
        names_ = {number: name for name, number in workload.ports}
        found = target_ports(store.services, workload.namespace, workload.labels)
        for number in range(1, workload.replicas + 1):
            ip = f"198.18.{len(replicas) // 250}.{len(replicas) % 250 + 1}"
            ports = tuple(
                ContainerPort(names_.get(p, ""), p, Address(ip, p), Address(path="/app"))
                for p in sorted({*names_, *found})
            )
            replicas.append(_replica(workload, number, ip, ports))
    outside = [
        Outside(name, {port: Address(f"192.0.2.{10 + index}", port) for port in declared.ports})
        for index, (host, declared) in enumerate(project.outside.items())
        for name in (host, *declared.aliases)
    ]
    return world(store, replicas, outside)


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
    )


def _outside(hosts: Sequence[Outside]) -> dict[tuple[str, int], str]:
    """The first name of each address."""
    found: dict[tuple[str, int], str] = {}
    for host in hosts:
        for address in host.ports.values():
            found.setdefault((address.ip, address.port), host.host)
    return found


@dataclass(frozen=True, slots=True)
class Question:
    """``source`` is a workload or ``gateway``."""

    source: str
    url: str
    method: str = "GET"
    headers: Sequence[tuple[str, str]] = ()


def explained(fleet: Fleet, lowered: Sequence[Resource], asked: Question) -> Explanation:
    """``lowered`` (``Store.lowered``) knows where rules were written. Raises UsageError for names
    and URLs that are none."""
    caller = _caller(fleet, asked.source)
    request = request_of(asked.method, asked.url, asked.headers, tunnel=not caller.gateway)
    return explain(fleet, caller, request, now=time.time(), placed=_placed(lowered))


def _caller(fleet: Fleet, source: str) -> Proxy:
    """Any replica of a workload: they all have the same rules."""
    if source == GATEWAY:
        return next(p for p in fleet.proxies if p.gateway)
    sidecars = [p for p in fleet.proxies if not p.gateway]
    candidates = [(p.namespace, p.workload.rpartition("/")[2], p.app) for p in sidecars]
    namespace, name = names.resolve(source, candidates)
    return next(p for p in sidecars if p.workload == f"{namespace}/{name}")


def _placed(lowered: Sequence[Resource]) -> Placed:
    """Where rules were written, those of Istio 0.4 included."""
    known: dict[tuple[str, str, str], Resource] = {}

    def placed(rule: RuleOrigin) -> RuleOrigin:
        if not known:
            known.update({r.key: r for r in lowered})
        resource = known.get((rule.kind, rule.namespace, rule.name))
        if resource is None:
            return rule
        at = resource.problem(_path(rule.field), "")
        kind, _, where = at.resource.partition(" ")
        namespace, _, name = where.rpartition("/")
        return RuleOrigin(kind, namespace, name, at.field, at.file, at.line)

    return placed


def _path(field: str) -> FieldPath:
    """``spec.http[0].match`` as a resource's lines know it."""
    return tuple(int(p) if p.isdigit() else p for p in re.findall(r"[A-Za-z]+|\d+", field))


def of_files(store: Store, project: Project, asked: Question) -> Explanation:
    """Without a mesh. Raises Refused for what cannot run, UsageError for names and URLs."""
    return explained(planned(store, project), store.lowered, asked)
