"""Which listeners of pods' sidecars the kernel knows: what is sent to a pod's other ports goes to
its sidecar's catch-all listener (``translate.inbound_passthrough``).

Istio's iptables send all of a pod's connections to one listener (virtualInbound). Here a declared
port has a listener that is bound, and the catch-all gets the rest.
"""

from __future__ import annotations

from collections.abc import Iterable

from meshproof.embedded.sandbox import Sandboxes
from meshproof.model.pod_network import INBOUND_PORT
from meshproof.translate.world import World

Place = tuple[str, int]


def listeners_of(world: World) -> frozenset[Place]:
    """Of every pod: the catch-all, and each declared port."""
    return frozenset(_places(world)) if world.pods else frozenset()


def _places(world: World) -> Iterable[Place]:
    for replica in world.replicas:
        yield replica.ip, INBOUND_PORT
        yield from ((port.listen.ip, port.listen.port) for port in replica.ports)


class PodListeners:
    """Of one mesh, as the kernel knows them. A listener that is on its way is announced when it is
    live, and one that goes is withdrawn before: meanwhile the catch-all has its connections."""

    def __init__(self, sandboxes: Sandboxes) -> None:
        self._sandboxes = sandboxes
        self._announced: frozenset[Place] = frozenset()

    def withdraw_all_but(self, wanted: frozenset[Place]) -> None:
        """Those that will not be there any more."""
        self.announce(self._announced & wanted)

    def announce(self, places: frozenset[Place]) -> None:
        """All that are there; no others are."""
        if places != self._announced:
            new, old = places - self._announced, self._announced - places
            self._sandboxes.change_listeners(sorted(new), sorted(old))
            self._announced = places

    @property
    def announced(self) -> frozenset[Place]:
        return self._announced
