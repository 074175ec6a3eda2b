"""How a proxy reaches what lies beyond its own network: the one difference of place that pods make.

Sidecars of pods meet in the mesh's network namespace, by pod address. The host's namespace, with
the gateways and everything outside, is another network: across that border goes a Unix socket.
"""

from __future__ import annotations

from dataclasses import replace

from meshproof.translate.world import Address, Outside, Proxy, Replica, World


def reachable_world(world: World, proxy: Proxy) -> World:
    """``world`` with addresses that ``proxy`` can connect to: for a sidecar of a pod those of
    outside hosts, for a gateway those of replicas become Unix sockets."""
    if not world.pods:
        return world
    if proxy.kind == "gateway":
        return replace(world, replicas=tuple(map(_by_pipe, world.replicas)))
    return replace(world, outside=tuple(map(_way_out, world.outside)))


def _by_pipe(replica: Replica) -> Replica:
    ports = (replace(p, listen=Address(path=p.pipe)) if p.pipe else p for p in replica.ports)
    return replace(replica, ports=tuple(ports))


def _way_out(host: Outside) -> Outside:
    """A port without a socket is not reachable."""
    return replace(
        host, ports={n: Address(path=host.pipes[n]) for n in host.ports if n in host.pipes}
    )
