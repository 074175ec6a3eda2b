"""A document's ``metadata``: its identity."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from meshproof.errors import Problem
from meshproof.model.kinds import Kind
from meshproof.model.steering_keys import (
    DRY_RUN,
    EXPORT_TO,
    GATEWAY_SERVICE,
    INGRESS_CLASS,
    TRAFFIC_DISTRIBUTION,
    TRUE,
)
from meshproof.sources.documents import Document
from meshproof.sources.scalars import kind_of

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_LABEL_1035 = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
_SUBDOMAIN = re.compile(
    r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
)
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_PATH_SEGMENT = re.compile(r"(?!\.{1,2}$)[^/%]+")
_PATH_NAMED = ("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")
"""Kinds whose names are any segment of a path, such as ``system:node`` (Kubernetes:
ValidateRBACName)."""
_FIELDS = ("name", "namespace", "labels", "annotations")
_SERVER_FIELDS = frozenset(
    (
        *("clusterName", "creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp"),
        *("finalizers", "generation", "managedFields", "ownerReferences", "resourceVersion"),
        *("selfLink", "uid"),
    )
)
"""Fields that ``kubectl get -o yaml`` adds; accepted and ignored."""


@dataclass(frozen=True, slots=True)
class Metadata:
    name: str
    namespace: str
    labels: Mapping[str, str]
    export_to: tuple[str, ...] = ()
    dry_run: bool = False
    traffic_distribution: str = ""
    gateway_services: tuple[str, ...] = ()
    ingress_class: str | None = None


def read_metadata(document: Document, kind: Kind, namespace: str) -> tuple[Metadata, list[Problem]]:
    """A document's identity; ``namespace`` is the one that the call demands, or empty."""
    raw = document.value.get("metadata", {} if kind.usual_name else None)
    if not isinstance(raw, dict):
        message = "is missing" if raw is None else f"is a {kind_of(raw)}"
        return Metadata("", "", {}), [
            document.problem(("metadata",), message, "a mapping with name")
        ]
    problems = [
        _unknown_field(document, key)
        for key in raw
        if key not in _FIELDS and key not in _SERVER_FIELDS
    ]
    name = raw.get("name", kind.usual_name or None)
    problems += _check_name(document, name, kind)
    problems += _check_namespace(document, raw.get("namespace"), kind, namespace)
    for field in ("labels", "annotations"):
        problems += _check_texts(document, raw.get(field), field)
    if any(not problem.unsupported for problem in problems):
        return Metadata("", "", {}), problems
    own_namespace = (raw.get("namespace") or namespace) if kind.namespaced else ""
    labels = raw.get("labels") or {}
    return Metadata(
        str(name),
        own_namespace,
        labels,
        _export_to(raw, kind),
        _is_dry_run(raw, kind),
        _traffic_distribution(raw, kind),
        _gateway_services(raw, kind),
        _ingress_class(raw, kind),
    ), problems


def _export_to(raw: Mapping[str, Any], kind: Kind) -> tuple[str, ...]:
    """The namespaces that may see a Service (Istio: ConvertService in pkg/kube/controllers)."""
    annotation = (raw.get("annotations") or {}).get(EXPORT_TO, "") if kind.name == "Service" else ""
    return tuple(name for text in annotation.split(",") if (name := text.strip()))


def _is_dry_run(raw: Mapping[str, Any], kind: Kind) -> bool:
    """Whether an AuthorizationPolicy is only to be tried (Istio: isDryRun in authz/builder)."""
    annotation = (raw.get("annotations") or {}).get(DRY_RUN, "")
    return kind.name == "AuthorizationPolicy" and annotation in TRUE


def _traffic_distribution(raw: Mapping[str, Any], kind: Kind) -> str:
    """What clients of a Service or ServiceEntry prefer (Istio: GetTrafficDistribution)."""
    annotations = (raw.get("annotations") or {}) if kind.name in _DISTRIBUTED else {}
    return str(annotations.get(TRAFFIC_DISTRIBUTION, ""))


_DISTRIBUTED = ("Service", "ServiceEntry")


def _gateway_services(raw: Mapping[str, Any], kind: Kind) -> tuple[str, ...]:
    """The Services that a Gateway is bound to (Istio: InternalGatewayServiceAnnotation)."""
    annotations = (raw.get("annotations") or {}) if kind.name == "Gateway" else {}
    return tuple(filter(None, str(annotations.get(GATEWAY_SERVICE, "")).split(",")))


def _ingress_class(raw: Mapping[str, Any], kind: Kind) -> str | None:
    """The class of an Ingress as it was written before there was a field."""
    annotations = (raw.get("annotations") or {}) if kind.name == "Ingress" else {}
    value = annotations.get(INGRESS_CLASS)
    return value if isinstance(value, str) else None


def _unknown_field(document: Document, key: str) -> Problem:
    path = ("metadata", key)
    if key == "generateName":
        return document.problem(path, "names are not generated here", "", "give it a name")
    from difflib import get_close_matches  # noqa: PLC0415  # only for a message

    near = get_close_matches(key, _FIELDS, 1)
    remedy = f"did you mean {near[0]}?" if near else ""
    return document.problem(path, "is not a field of metadata", "", remedy)


def _check_name(document: Document, name: Any, kind: Kind) -> list[Problem]:
    path = ("metadata", "name")
    if name is None:
        return [document.problem(path, "is missing", "a name")]
    if not isinstance(name, str):
        return [_not_text(document, path, name)]
    pattern, expected = _SUBDOMAIN, "lower-case letters, digits, - and ., as in a DNS name"
    if kind.name == "Service":
        pattern, expected = (
            _LABEL_1035,
            "at most 63 lower-case letters, digits and -, a letter first",
        )
    elif kind.name in _PATH_NAMED:
        pattern, expected = _PATH_SEGMENT, "a name without / and %, other than . and .."
    elif kind.name == "Namespace":
        pattern, expected = _LABEL, "at most 63 lower-case letters, digits and -"
    if pattern.fullmatch(name):
        return []
    return [document.problem(path, f'is "{name}"', expected)]


def _check_namespace(
    document: Document, namespace: Any, kind: Kind, demanded: str
) -> list[Problem]:
    path = ("metadata", "namespace")
    if namespace is None:
        return []
    if not isinstance(namespace, str):
        return [_not_text(document, path, namespace)]
    if not kind.namespaced:
        message = f"a {kind.name} has no namespace"  # an API server drops it
        return [document.problem(path, message, "", "remove it", unsupported=True)]
    if namespace and not _LABEL.fullmatch(namespace):
        expected = "at most 63 lower-case letters, digits and -"
        return [document.problem(path, f'is "{namespace}"', expected)]
    if demanded and namespace and namespace != demanded:
        remedy = f"call with -n {namespace}, or remove the field"
        return [document.problem(path, f"is {namespace}", f"{demanded}, as -n says", remedy)]
    return []


def _check_texts(document: Document, values: Any, field: str) -> list[Problem]:
    path = ("metadata", field)
    if values is None:
        return []
    if not isinstance(values, dict):
        message = f"is a {kind_of(values)}"
        return [document.problem(path, message, "a mapping of strings")]
    problems = []
    for key, value in values.items():
        if not isinstance(value, str):
            problems.append(_not_text(document, (*path, key), value))
        elif field == "labels" and not _LABEL_VALUE.fullmatch(value):
            expected = "at most 63 letters, digits, -, _ and ., beginning and ending with no sign"
            problems.append(document.problem((*path, key), f'is "{value}"', expected))
    return problems


def _not_text(document: Document, path: tuple[str, ...], value: Any) -> Problem:
    text = document.texts.get(path)
    kind = kind_of(value)
    if kind in ("boolean", "number") and text:
        message = f"is {text}, which YAML reads as a {kind}"
        return document.problem(path, message, "a string", f'quote it: "{text}"')
    return document.problem(path, f"is {'null' if value is None else f'a {kind}'}", "a string")
