"""What a cluster is sent: every document as it was written, rules of Istio 0.4 lowered. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from meshproof.admission.store import Store
from meshproof.cluster.kubectl import Json, labels_of
from meshproof.model.resource import Resource
from meshproof.model.yaml_writer import to_document

CONTAINERS = ("containers", "initContainers")
_TEMPLATE = ("spec", "template", "spec")
_POD_SPECS: Mapping[str, tuple[str, ...]] = {
    "Deployment": _TEMPLATE,
    "StatefulSet": _TEMPLATE,
    "DaemonSet": _TEMPLATE,
    "Job": _TEMPLATE,
    "CronJob": ("spec", "jobTemplate", *_TEMPLATE),
    "Pod": ("spec",),
}
"""Kind -> where the spec of its pods is."""


def sent_resources(store: Store) -> list[Resource]:
    """The resources that the cluster holds when ``store`` is applied: no API server knows
    RouteRule and EgressRule, so v1 resources stand for them. One that was written wins over a
    generated one of the same identity.

    Raises Refused for rules that cannot be lowered.
    """
    lowered = {resource.key: resource for resource in store.lowered}
    written = [r for r in store.resources if r.spec is None or r.key in lowered]
    keys = {resource.key for resource in written}
    return [*written, *(r for key, r in lowered.items() if key not in keys)]


def manifest_of(resource: Resource) -> Json:
    return resource.manifest if resource.body else to_document(resource)


def namespaces_of(resources: Iterable[Resource]) -> set[str]:
    """Those that the resources are in, and those that they create."""
    names = set()
    for resource in resources:
        names.add(resource.name if resource.kind == "Namespace" else resource.namespace)
    return names - {""}


def with_label(body: Json, label: str, value: str) -> Json:
    labels = {**labels_of(body), label: value}
    return {**body, "metadata": {**body["metadata"], "labels": labels}}


def pod_spec_of(body: Mapping[str, Any]) -> Json | None:
    """The spec of the pods that an object makes; None for an object that makes none."""
    node: Any = body
    for key in _POD_SPECS.get(body["kind"], ("",)):
        node = node.get(key) if isinstance(node, Mapping) else None
    return node if isinstance(node, dict) else None


def pod_spec_path(kind: str) -> tuple[str, ...]:
    """Where that spec is; KeyError for kinds without pods."""
    return _POD_SPECS[kind]


def with_images(body: Json, images: Mapping[str, str]) -> Json:
    """An object whose containers run the images that were built; one without pods unchanged."""
    spec = pod_spec_of(body)
    if spec is None:
        return body
    changes = {
        field: [{**c, "image": images.get(c.get("image", ""), c.get("image", ""))} for c in cs]
        for field in CONTAINERS
        if (cs := spec.get(field))
    }
    return with_pod_fields(body, changes)


def with_pod_fields(body: Json, fields: Mapping[str, Any]) -> Json:
    """An object whose pods have other fields; one without pods unchanged."""
    spec = pod_spec_of(body)
    if spec is None:
        return body
    return _replace(body, _POD_SPECS[body["kind"]], {**spec, **fields})


def _replace(body: Json, path: Sequence[str], value: Json) -> Json:
    key, *rest = path
    return {**body, key: _replace(body[key], rest, value) if rest else value}
