"""The configuration that each Envoy itself reports, resource by resource."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from meshproof.mesh import Mesh

Configuration = Mapping[str, Any]
"""``<sidecar> <kind> <name>`` -> the resource as Envoy's configuration dump shows it."""
_KINDS = {
    "dynamic_active_clusters": "cluster",
    "dynamic_listeners": "active_state",
    "dynamic_route_configs": "route_config",
}


def read_configuration(mesh: Mesh, folder: Path) -> Configuration:
    """Of every sidecar, from the mesh's ``dump``."""
    folder.mkdir()
    mesh.dump(folder)
    resources = {
        f"{file.name.removesuffix('.config.json')} {name}": resource
        for file in sorted(folder.glob("*.config.json"))
        for name, resource in _resources(json.loads(file.read_text()))
    }
    assert resources, f"no sidecar's configuration is in {folder}"
    return resources


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


def differences(before: Configuration, after: Configuration) -> list[str]:
    """The names of resources that differ. A cluster that no rule names any more may disappear: the
    mesh removes those of earlier changes later."""
    removed = [n for n in before if n not in after and "dynamic_active_clusters" not in n]
    return removed + [n for n, resource in after.items() if before.get(n) != resource]
