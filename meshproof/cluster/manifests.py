"""What a cluster is sent: every document as it was written, rules of Istio 0.4 lowered. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from meshproof.admission.store import Store
from meshproof.cluster.kubectl import Json, labels_of
from meshproof.model.resource import Resource
from meshproof.model.yaml_writer import to_document


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


def with_images(body: Json, images: Mapping[str, str]) -> Json:
    """A Deployment whose containers run the images that were built; any other document
    unchanged."""
    if body["kind"] != "Deployment":
        return body
    spec = body["spec"]["template"]["spec"]
    changes = {
        field: [{**c, "image": images.get(c.get("image", ""), c.get("image", ""))} for c in cs]
        for field in ("containers", "initContainers")
        if (cs := spec.get(field))
    }
    return with_pod_fields(body, changes)


def with_pod_fields(body: Json, fields: Mapping[str, Any]) -> Json:
    """A Deployment whose pods have other fields."""
    template = body["spec"]["template"]
    pod = {**template, "spec": {**template["spec"], **fields}}
    return {**body, "spec": {**body["spec"], "template": pod}}
