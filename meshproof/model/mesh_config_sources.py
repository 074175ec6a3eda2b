"""The MeshConfig in force, of all that says one."""

from __future__ import annotations

from collections.abc import Iterable

from meshproof.model.mesh_config import NO_MESH_CONFIG, MeshConfig, merge_mesh_configs
from meshproof.model.mesh_config_map import is_mesh_config_map, parse_mesh_config
from meshproof.model.resource import Resource


def mesh_config_of(resources: Iterable[Resource], default: MeshConfig) -> MeshConfig:
    """What holds for the mesh: ``default``, and over it what IstioOperators say, and over that the
    ConfigMap ``istio``."""
    installed, live = default, NO_MESH_CONFIG
    for resource in resources:
        if resource.kind == "IstioOperator":
            installed = merge_mesh_configs(installed, resource.spec.mesh_config)
        elif is_mesh_config_map(resource.kind, resource.name, resource.namespace):
            live = parse_mesh_config(resource.spec.data.get("mesh", ""))
    return installed if live is NO_MESH_CONFIG else merge_mesh_configs(installed, live)
