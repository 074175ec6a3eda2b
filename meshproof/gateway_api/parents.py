"""Parents of HTTPRoutes: the hosts whose calls a route takes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from meshproof.istio_names import service_host
from meshproof.model.http_route_references import GATEWAY, SERVICE, ParentReference
from meshproof.model.resource import Resource


@dataclass(frozen=True, slots=True)
class Parent:
    """``hosts``: a Service's full name or a ServiceEntry's hosts; ``index`` in ``parentRefs``."""

    index: int
    ref: ParentReference
    namespace: str
    hosts: tuple[str, ...]
    missing: str = ""
    """Istio's message if the parent does not exist, else empty."""

    @property
    def port(self) -> int | None:
        return self.ref.port


def resolve_parents(
    route: Resource, services: Collection[str], entries: Mapping[tuple[str, str], list[str]]
) -> Iterator[Parent]:
    """Every parentRef of ``route`` in the mesh. ``services`` are full names; ``entries`` gives the
    hosts of each ServiceEntry by namespace and name."""
    for index, ref in enumerate(route.spec.parent_refs):
        if ref.group_kind == GATEWAY:
            continue
        namespace = ref.namespace or route.namespace
        if ref.group_kind == SERVICE:
            host = service_host(ref.name, namespace)
            missing = "" if host in services else f'parent service: "{ref.name}" not found'
            yield Parent(index, ref, namespace, (host,), missing)
            continue
        hosts = tuple(entries.get((namespace, ref.name), ()))
        missing = "" if hosts else f'parent service entry: "{ref.name}" not found'
        yield Parent(index, ref, namespace, hosts, missing)
