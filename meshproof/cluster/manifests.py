"""YAML -> what a cluster is given. The API server and Istio's webhook judge all but two kinds.

A typed model would refuse what only the embedded mesh does without; here whatever Kubernetes takes
goes through as it was written. Only RouteRule and EgressRule of Istio 0.4 are read by their model,
because no API server knows them: ``desired`` puts their v1 counterparts in their places.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from meshproof.errors import Problem, Refused
from meshproof.istio04.lower import lower
from meshproof.mesh import Source
from meshproof.model.reader import read_text
from meshproof.model.resource import Resource
from meshproof.model.yaml_writer import to_yaml
from meshproof.sources.documents import Document, read_documents
from meshproof.translate.world import Service

Json = dict[str, Any]
Key = tuple[str, str, str]
"""Kind, namespace, name."""

OLD = "config.istio.io/v1alpha2"
_NETWORKING = "networking.istio.io/"
_CLUSTER_WIDE = frozenset(
    {
        "ClusterRole",
        "ClusterRoleBinding",
        "CustomResourceDefinition",
        "GatewayClass",
        "IngressClass",
        "MutatingWebhookConfiguration",
        "Namespace",
        "PersistentVolume",
        "PriorityClass",
        "StorageClass",
        "ValidatingWebhookConfiguration",
    }
)


@dataclass(frozen=True, slots=True)
class Manifest:
    """One document. ``rule`` is set for 0.4's kinds, ``body`` for all others."""

    kind: str
    namespace: str
    name: str
    file: str
    line: int
    body: Json | None = None
    rule: Resource | None = None

    @property
    def key(self) -> Key:
        return (self.kind, self.namespace, self.name)

    @property
    def title(self) -> str:
        where = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.kind} {where}"

    def same(self, other: Manifest) -> bool:
        return self.body == other.body and self.rule == other.rule

    def with_body(self, body: Json) -> Manifest:
        return replace(self, body=body)

    def problem(self, found: str, remedy: str = "") -> Problem:
        return Problem(self.file, self.line, self.title, "", found, "", remedy)


def read_all(sources: Iterable[Source], namespace: str, default: str) -> list[Manifest]:
    """The items of YAML texts. ``namespace`` is the call's own,
    ``default`` goes to documents where neither says one. Raises Refused."""
    items: list[Manifest] = []
    problems: list[Problem] = []
    for file, text in sources:
        documents, wrong = read_documents(text, file)
        problems += wrong
        if any(d.value.get("apiVersion") == OLD for d in documents):
            try:
                items += _rules(text, file, namespace, default)
            except Refused as refused:
                problems += refused.problems
        for document in documents:
            if document.value.get("apiVersion") != OLD:
                items += _raw(document, namespace, default, problems)
    if problems:
        raise Refused(problems)
    return items


def default_namespace(sources: Iterable[Source], known: Iterable[str]) -> str:
    """The only namespace that has Deployments, there (``known``) or in the sources; else
    ``default``."""
    named = set(known)
    for file, text in sources:
        for document in read_documents(text, file)[0]:
            if document.value.get("kind") == "Deployment":
                named.add(str((document.value.get("metadata") or {}).get("namespace") or ""))
    only = sorted(named - {""})
    return only[0] if len(only) == 1 else "default"


def namespaces(items: Iterable[Manifest]) -> set[str]:
    """Those that the documents are in, and those that they create."""
    return {i.namespace for i in items} | {i.name for i in items if i.kind == "Namespace"}


def desired(items: Sequence[Manifest]) -> dict[Key, Json]:
    """What the cluster holds when ``items`` are applied in this order: 0.4's rules lowered.

    Raises Refused for rules that cannot be lowered.
    """
    found: dict[Key, Json] = {i.key: i.body for i in items if i.body is not None}
    if all(i.rule is None for i in items):
        return found
    for resource in lower(_resources(items), services(items)):
        key = resource.key
        if key not in found:
            found[key] = _body(resource)
    return found


def services(items: Iterable[Manifest]) -> list[Service]:
    """The Services, as the lowering reads them: by name and selector."""
    return [
        Service(
            name=i.name,
            namespace=i.namespace,
            selector=dict((i.body.get("spec") or {}).get("selector") or {}),
            ports=(),
        )
        for i in items
        if i.kind == "Service" and i.body is not None
    ]


def _resources(items: Iterable[Manifest]) -> list[Resource]:
    """0.4's rules, and the v1 rules that they have to get along with."""
    found: list[Resource] = []
    for item in items:
        if item.rule is not None:
            found.append(item.rule)
        elif item.body is not None and str(item.body["apiVersion"]).startswith(_NETWORKING):
            found += read_text(json.dumps(item.body), item.file, namespace=item.namespace)
    return found


def _rules(text: str, file: str, namespace: str, default: str) -> list[Manifest]:
    """0.4's rules of a text. The whole text is read by models, so that messages have lines."""
    found = []
    for resource in read_text(text, file, namespace=namespace):
        if resource.api_version == OLD:
            placed = resource if resource.namespace else resource.in_namespace(default)
            at = (placed.kind, placed.namespace, placed.name, file, placed.location.line)
            found.append(Manifest(*at, rule=placed))
    return found


def _body(resource: Resource) -> Json:
    import yaml  # noqa: PLC0415  # only where 0.4's rules are applied

    body: Json = yaml.safe_load(to_yaml([resource]))
    return body


def _raw(
    document: Document, namespace: str, default: str, problems: list[Problem]
) -> list[Manifest]:
    value = document.value
    metadata = value.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    for field, found in (("apiVersion", value.get("apiVersion")), ("kind", value.get("kind"))):
        if not isinstance(found, str):
            problems.append(document.problem((field,), "is missing or no text", "a text"))
            return []
    if not isinstance(metadata, dict) or not isinstance(name, str):
        problems.append(document.problem(("metadata", "name"), "is missing or no text", "a text"))
        return []
    kind = str(value["kind"])
    wide = kind in _CLUSTER_WIDE
    own = str(metadata.get("namespace") or "")
    if own and namespace and own != namespace and not wide:
        at = ("metadata", "namespace")
        problems.append(document.problem(at, f"is {own}, and the call says {namespace}", "one"))
        return []
    where = "" if wide else own or namespace or default
    placed = {**metadata, **({"namespace": where} if where else {})}
    body = {**value, "metadata": placed}
    return [Manifest(kind, where, name, document.location.file, document.location.line, body=body)]


def labelled(body: Mapping[str, Any], label: str, value: str) -> Json:
    """The same object with one more label."""
    metadata = dict(body["metadata"])
    metadata["labels"] = {**(metadata.get("labels") or {}), label: value}
    return {**body, "metadata": metadata}


def with_images(body: Json, images: Mapping[str, str]) -> Json:
    """A Deployment whose containers run what was built; any other document as it is."""
    if body["kind"] != "Deployment":
        return body
    spec = body["spec"]["template"]["spec"]
    changed = {
        field: [{**c, "image": images.get(c.get("image", ""), c.get("image", ""))} for c in cs]
        for field in ("containers", "initContainers")
        if (cs := spec.get(field))
    }
    return with_pod(body, changed)


def with_pod(body: Json, changed: dict[str, Any]) -> Json:
    """A Deployment whose pods have other fields."""
    template = body["spec"]["template"]
    pod = {**template, "spec": {**template["spec"], **changed}}
    return {**body, "spec": {**body["spec"], "template": pod}}
