"""What each Envoy itself says that it runs with, resource by resource."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from meshproof.mesh import Mesh

Told = Mapping[str, Any]
"""``<sidecar> <kind> <name>`` -> the resource as Envoy's configuration dump shows it."""
_KINDS = {
    "dynamic_active_clusters": "cluster",
    "dynamic_listeners": "active_state",
    "dynamic_route_configs": "route_config",
}


def told(mesh: Mesh, folder: Path) -> Told:
    """Ask every sidecar, by way of ``dump``."""
    folder.mkdir()
    mesh.dump(folder)
    found = {
        f"{file.name.removesuffix('.config.json')} {name}": resource
        for file in sorted(folder.glob("*.config.json"))
        for name, resource in _resources(json.loads(file.read_text()))
    }
    assert found, f"no sidecar's configuration is in {folder}"
    return found


def _resources(dump: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for config in dump["configs"]:
        for kind, key in _KINDS.items():
            for entry in config.get(kind, ()):
                resource = entry.get(key)
                if resource is None:  # a listener that is warming or draining has no active state
                    continue
                if kind == "dynamic_listeners":
                    resource = resource["listener"]
                yield f"{kind} {resource.get('name')}", resource


def unchanged(before: Told, after: Told) -> list[str]:
    """What differs; empty when nothing does. A cluster that no rule names any more may go: the
    mesh forgets those of earlier changes in its own time."""
    gone = [n for n in before if n not in after and "dynamic_active_clusters" not in n]
    return gone + [n for n, resource in after.items() if before.get(n) != resource]
