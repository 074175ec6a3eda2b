"""Removes the kind clusters that killed processes left behind; their notes on this machine name
them."""

from __future__ import annotations

from pathlib import Path

from meshproof.cluster.commands import Runner
from meshproof.cluster.outside_containers import OutsideContainers
from meshproof.cluster.providers.kind_cluster import KindCluster
from meshproof.cluster.settings import Settings
from meshproof.cluster.state_dir import clusters, state_dir


def orphaned_clusters(state: Path | None = None) -> list[str]:
    """Names of clusters whose process is gone, kept meshes included. Runs no command."""
    return [name for name in clusters(state) if not state_dir(name, state).used_by_another()]


def sweep(runner: Runner, state: Path | None = None) -> list[str]:
    """Removes each orphaned cluster that is ours, with its containers and networks; returns their
    names."""
    removed = []
    for name in orphaned_clusters(state):
        cluster = KindCluster(runner, Settings(kind_cluster=name), state_dir(name, state))
        if cluster.is_ours_to_delete():
            OutsideContainers(runner, name, {}).remove()
            cluster.delete()
            removed.append(name)
    return removed
