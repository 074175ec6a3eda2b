"""What only a mesh on a cluster does: load from its pods, and add-ons to observe it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from meshproof.control.endpoint import query
from meshproof.control.wire import Json
from meshproof.errors import Unsupported

if TYPE_CHECKING:
    import threading

    from meshproof.control.context import ControlContext
    from meshproof.traffic.distributed_load import DistributedLoad


@runtime_checkable
class SupportsCluster(Protocol):
    """What only a mesh on a cluster offers."""

    def spread_load(self, load: DistributedLoad, stop: threading.Event) -> list[dict[str, Any]]:
        """Send a load from pods; returns each pod's output (see ``distributed_load.write``)."""
        ...

    def observe(self, folder: Path) -> None:
        """Apply the add-ons of a folder; returns when they are available."""
        ...

    def addon_urls(self, folder: Path) -> dict[str, str]:
        """Add-on -> its URL on this machine, as long as this mesh's process lives."""
        ...

    def unobserve(self, folder: Path) -> None:
        """Delete the add-ons again."""
        ...


def _require_cluster(context: ControlContext, verb: str) -> SupportsCluster:
    if isinstance(context.mesh, SupportsCluster):
        return context.mesh
    raise Unsupported(f"{verb}: the mesh {context.mesh.name} is on no cluster (MESH=kind is)")


@query
def load(context: ControlContext, order: Json, folder: str) -> None:
    """Send a load from the cluster; ``order`` is ``traffic.distributed_load.DistributedLoad`` as a
    mapping. Answers when its files are in ``folder``; the load ends early with its client."""
    from meshproof.traffic.distributed_load import DistributedLoad, write  # noqa: PLC0415  (the client starts quicker without)

    cluster = _require_cluster(context, "load from workers")
    write(cluster.spread_load(DistributedLoad(**order), context.client_gone), Path(folder))


@query
def observe(context: ControlContext, folder: str) -> dict[str, str]:
    """Apply the add-ons of a folder; answers with the URL of each."""
    cluster = _require_cluster(context, "observe")
    cluster.observe(Path(folder))
    return cluster.addon_urls(Path(folder))


@query
def unobserve(context: ControlContext, folder: str) -> None:
    """Delete the add-ons of a folder."""
    _require_cluster(context, "observe").unobserve(Path(folder))
