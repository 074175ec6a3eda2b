"""Rules as istio-config-validator reads them: every VirtualService applies to every caller, and a
delegate is asked after the route that names it, not merged into it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from meshproof.model.reader import read_text
from meshproof.model.resource import Resource
from meshproof.model.virtual_service import VirtualService
from meshproof.sources.location import FieldPath

DEFAULT_NAMESPACE = "default"
_PLACEHOLDER = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: placeholder, namespace: default}
spec: {hosts: [placeholder.test], http: [{route: [{destination: {host: placeholder.test}}]}]}
"""


def is_virtual_service(resource: Resource) -> bool:
    return resource.kind == "VirtualService" and isinstance(resource.spec, VirtualService)


def without_gateways(resources: Iterable[Resource]) -> list[Resource]:
    """Rules of gateways become rules of the mesh: cases name no gateway."""
    return [_for_the_mesh(r) if is_virtual_service(r) else r for r in resources]


def _for_the_mesh(resource: Resource) -> Resource:
    spec = resource.spec
    http = [
        route.model_copy(
            update={"match": [m.model_copy(update={"gateways": []}) for m in route.match]}
        )
        for route in spec.http
    ]
    return replace(resource, spec=spec.model_copy(update={"gateways": [], "http": http}))


def roots_alone(resources: Iterable[Resource]) -> list[Resource]:
    """Without delegates: a route that names one leads nowhere."""
    nowhere = read_text(_PLACEHOLDER, "<placeholder>")[0].spec.http[0].route
    result = []
    for resource in resources:
        if not is_virtual_service(resource):
            result.append(resource)
        elif resource.spec.hosts:
            http = [
                route.model_copy(update={"delegate": None, "route": nowhere})
                if route.delegate
                else route
                for route in resource.spec.http
            ]
            spec = resource.spec.model_copy(update={"http": http})
            result.append(replace(resource, spec=spec))
    return result


def delegate_alone(
    resources: Iterable[Resource], namespace: str, name: str, hosts: list[str]
) -> list[Resource]:
    """One delegate in place of every VirtualService, for the hosts of its root. Without a
    namespace, the first of that name, as istio-config-validator looks it up."""
    rules = list(resources)
    delegates = [
        r
        for r in rules
        if is_virtual_service(r)
        and r.name == name
        and (not namespace or (r.namespace or DEFAULT_NAMESPACE) == namespace)
    ]
    others = [r for r in rules if not is_virtual_service(r)]
    return [
        *others,
        *(replace(r, spec=r.spec.model_copy(update={"hosts": hosts})) for r in delegates[:1]),
    ]


def route_fields(resource: Resource, path: FieldPath) -> dict[str, Any]:
    """The route at ``path`` (``spec.http[2]``) as it was written."""
    value: Any = resource.body
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return {}
    return value if isinstance(value, dict) else {}
