"""What only a mesh on a cluster has: load from pods inside it, and add-ons."""

from __future__ import annotations

import threading
from pathlib import Path

from meshproof.cluster.addons import AddOns
from meshproof.cluster.images import ImageBuilder
from meshproof.cluster.kubectl import Json
from meshproof.cluster.load import IMAGE, ClusterLoad
from meshproof.cluster.mesh_state import MeshState
from meshproof.cluster.port_forward import PortForwards
from meshproof.cluster.providers.provider import Provider
from meshproof.traffic.distributed_load import DistributedLoad


class AddOnsAndLoad:
    """See ``meshproof.control.routes.cluster.SupportsCluster``."""

    def __init__(
        self, state: MeshState, provider: Provider, builder: ImageBuilder, forwards: PortForwards
    ) -> None:
        self._state = state
        self._provider = provider
        self._builder = builder
        self._forwards = forwards

    def spread_load(self, load: DistributedLoad, stop: threading.Event) -> list[Json]:
        """Builds the load's image when it is needed first. Raises UsageError, LoadError."""
        self._state.require_up()
        load.check()
        images = self._builder.build([IMAGE])
        self._provider.deliver(images)
        return ClusterLoad(self._provider.kubectl).run(load, images[IMAGE.name], stop)

    def observe(self, folder: Path) -> None:
        self._addons(folder).apply()

    def addon_urls(self, folder: Path) -> dict[str, str]:
        addons = self._addons(folder)
        return {
            name: self._forwards.url(addons.namespace, f"svc/{name}", port)
            for name, port in addons.ports().items()
        }

    def unobserve(self, folder: Path) -> None:
        self._addons(folder).delete()

    def _addons(self, folder: Path) -> AddOns:
        self._state.require_up()
        return AddOns(self._provider.kubectl, folder)
