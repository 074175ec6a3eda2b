"""Clusters that routes refer to: they must be warm before the routes are sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from meshproof.translate.proto import Json
from meshproof.translate.world import Resource


def referenced_clusters(routes: Mapping[str, Resource] | Iterable[Resource]) -> set[str]:
    """Names of the clusters that RouteConfigurations route or mirror to, known or not."""
    tables = routes.values() if isinstance(routes, Mapping) else routes
    return {name for table in tables for name in _clusters_of(table)}


def _clusters_of(table: Json) -> Iterator[str]:
    for host in table["virtual_hosts"]:
        for route in host.get("routes", ()):
            action = route.get("route", {})
            if "cluster" in action:
                yield action["cluster"]
            for entry in action.get("weighted_clusters", {}).get("clusters", ()):
                yield entry["name"]
            for mirror in action.get("request_mirror_policies", ()):
                yield mirror["cluster"]
