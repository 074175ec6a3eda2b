"""What a mesh on a cluster does beyond the contract: load from inside it, and its add-ons."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from meshproof.cluster import load
from meshproof.cluster.addons import AddOns
from meshproof.cluster.images import Images
from meshproof.cluster.queries import Looking
from meshproof.traffic.distributed_load import DistributedLoad


class Extras(Looking):
    """See ``meshproof.control.routes.cluster.OnCluster``."""

    def spread_load(self, order: DistributedLoad, stop: threading.Event) -> list[dict[str, Any]]:
        """Send a load from pods; returns what each brought (``distributed_load.write`` takes it).

        The image is built and brought when it is wanted first. Raises UsageError, LoadError.
        """
        self._live()
        order.check()
        images = Images(self._runner, self.settings, self.project.root).build([load.IMAGE])
        self._place.deliver(images)
        return load.Spread(self._kubectl).run(order, images[load.IMAGE.name], stop)

    def observe(self, folder: Path) -> None:
        """Apply the add-ons of a folder; returns when they are available."""
        self._live()
        AddOns(self._kubectl, folder).apply()

    def observed(self, folder: Path) -> dict[str, str]:
        """Add-on -> its URL on this machine, as long as this mesh's process lives."""
        self._live()
        addons = AddOns(self._kubectl, folder)
        return {
            name: self._forwards.url(addons.namespace, f"svc/{name}", port)
            for name, port in addons.ports().items()
        }

    def unobserve(self, folder: Path) -> None:
        """Delete the add-ons again."""
        self._live()
        AddOns(self._kubectl, folder).delete()
