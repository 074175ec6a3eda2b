"""What killed processes left of kind clusters: found by their notes on this machine, removed."""

from __future__ import annotations

from pathlib import Path

from meshproof.cluster import docker
from meshproof.cluster.assets import LABEL, OWNED
from meshproof.cluster.commands import Runner
from meshproof.cluster.outside import Outside
from meshproof.cluster.providers.kind_cluster import KindCluster
from meshproof.cluster.settings import Settings
from meshproof.cluster.state_dir import clusters, folder


def left(state: Path | None = None) -> list[str]:
    """Names of clusters whose process is gone; asks no tool. A mesh that was kept is one."""
    return [name for name in clusters(state) if not folder(name, state).used_by_another()]


def sweep(runner: Runner, state: Path | None = None) -> list[str]:
    """Remove each one that is ours, with its containers and networks; returns their names."""
    gone = []
    for name in left(state):
        cluster = KindCluster(runner, Settings(kind_cluster=name), folder(name, state))
        if cluster.is_ours_to_delete():
            Outside(runner, name, ()).remove()
            cluster.delete()
            gone.append(name)
    return gone


def remove_images(runner: Runner) -> list[str]:
    """Every image that was built here, by its label; returns their names."""
    names = docker.images(runner, f"{LABEL}={OWNED}")
    for name in names:
        runner.run(("docker", "image", "rm", name), f"removing image {name}")
    return names
