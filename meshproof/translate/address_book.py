"""What answers at an address that a rule names: declared hosts outside, pods, and Services.

Envoy connects to any address of the cluster; here it finds the declared hosts first, then the pods
behind an address, a ClusterIP or a Service's name, as kube-proxy and the cluster's DNS would.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from meshproof.translate.world import Address, Replica, World

Ports = Mapping[int, tuple[Address, ...]]


class AddressBook:
    """Of one world. The mesh's own part is read when somebody asks for it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.outside: Mapping[str, Mapping[int, Address]] = {
            o.host.lower(): o.ports for o in world.outside
        }
        """The declared hosts, in lower case."""

    def find(self, host: str, port: int, namespace: str = "") -> tuple[Address, ...]:
        """Where ``host`` answers at ``port``; nothing if nobody does. ``namespace`` is that of a
        name without dots, as in the DNS search path of a pod."""
        name = host.lower()
        if name in self.outside:
            address = self.outside[name].get(port)
            return () if address is None else (address,)
        if namespace and "." not in name and ":" not in name:
            name = f"{name}.{namespace}"
        return self._inside.get(name, {}).get(port, ())

    @cached_property
    def _inside(self) -> Mapping[str, Ports]:
        ready = [r for r in (*self._world.replicas, *self._world.gateway_replicas) if r.ready]
        table: dict[str, Ports] = {
            r.ip: {p.port: (p.listen,) for p in r.ports} for r in ready if r.ip
        }
        for service in self._world.services:
            if not service.selector or service.external_name:
                continue
            members = [r for r in ready if service.selects(r.namespace, r.labels)]
            ports = {p.port: _listeners(members, p.target_port) for p in service.ports}
            short = f"{service.name}.{service.namespace}"
            for name in (short, f"{short}.svc", service.fqdn, service.cluster_ip):
                if name:
                    table[name] = ports
        return table


def _listeners(members: list[Replica], target: int | str) -> tuple[Address, ...]:
    return tuple(p.listen for r in members for p in r.ports if target in (p.port, p.name))
