"""The clusters of MeshConfig's extension providers (Istio: LookupCluster in pilot/pkg/model)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from meshproof.istio_names import outbound_cluster
from meshproof.model.extension_providers import ExtensionProvider
from meshproof.translate.registry import hosts
from meshproof.translate.world import World


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider, and where it is; ``cluster`` is empty where its service is not known, is in
    several namespaces, or where it has none."""

    spec: ExtensionProvider
    host: str = ""
    cluster: str = ""


Providers = Mapping[str, Provider]


_latest: tuple[World, Providers] | None = None


def providers_of(world: World) -> Providers:
    """MeshConfig's extension providers by name. Only the newest answer is kept: all proxies of a
    change share one world."""
    global _latest  # noqa: PLW0603 - a cache of one pure value; a lost race costs time only
    latest = _latest
    if latest is None or latest[0] is not world:
        latest = _latest = (world, _find_all(world))
    return latest[1]


def find_provider(providers: Providers, name: str) -> Provider | None:
    """A provider of traces, metrics or logs, whose names Istio compares without regard to case."""
    by_name = {key.lower(): provider for key, provider in providers.items()}
    return by_name.get(name.lower())


def _find_all(world: World) -> Providers:
    specs = world.mesh.extension_providers
    namespaces: dict[str, list[str]] = {}
    for host in hosts(world) if specs else ():
        namespaces.setdefault(host.name, []).append(host.namespace)
    return {spec.name: _find(spec, namespaces) for spec in specs}


def _find(spec: ExtensionProvider, namespaces: Mapping[str, list[str]]) -> Provider:
    server = spec.server
    if server is None:
        return Provider(spec)
    namespace, _, name = server.service.rpartition("/")
    known = namespaces.get(name, [])
    if (namespace in known) if namespace else len(known) == 1:
        return Provider(spec, name, outbound_cluster(server.port, name))
    return Provider(spec)
