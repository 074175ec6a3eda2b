"""Admission of patches: each value must fit Envoy's schema, and must not lead off this machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshproof.envoy_filters.messages import parse, untyped
from meshproof.errors import Problem
from meshproof.model.resource import Resource

_LEADS_OUT = {
    "google_grpc": "an envoy_grpc with a cluster",
    "googleGrpc": "an envoyGrpc with a cluster",
    "dns_cache_config": "a cluster with its servers",
    "dnsCacheConfig": "a cluster with its servers",
    "cluster_type": "a cluster with its servers",
    "clusterType": "a cluster with its servers",
}
"""Fields by which an Envoy would look names up and connect to them itself."""
_OPENS = ("address", "additional_addresses", "additionalAddresses", "bind_to_port", "bindToPort")
"""Fields of a listener by which it would listen elsewhere."""


def check_filter(resource: Resource) -> Iterator[Problem]:
    """What is wrong with the values of an EnvoyFilter."""
    for index, patch in enumerate(resource.spec.config_patches):
        value = patch.patch.value
        path = ("spec", "configPatches", index, "patch", "value")
        if value is None:
            continue
        if field := _leading_out(untyped(value)):
            message = f"has {field}, by which an Envoy would leave this machine on its own"
            yield resource.problem(path, message, _LEADS_OUT[field])
            continue
        moves = patch.apply_to == "LISTENER" and patch.operation == "MERGE"
        if moves and (opened := [f for f in _OPENS if f in value]):
            message = f"has {opened[0]}, and a listener stays where it is here"
            yield resource.problem(path, message, "its other fields")
            continue
        if patch.match.context == "WAYPOINT":
            continue
        try:
            parse(patch.apply_to, value)
        except ValueError as error:
            yield resource.problem(
                path,
                f"is not Envoy's: {error}",
                f"a value that Envoy takes for applyTo {patch.apply_to}",
            )


def _leading_out(value: Any) -> str:
    if isinstance(value, dict):
        for key, item in value.items():
            if key in _LEADS_OUT:
                return str(key)
            if inner := _leading_out(item):
                return inner
    elif isinstance(value, list):
        return next((inner for item in value if (inner := _leading_out(item))), "")
    return ""
