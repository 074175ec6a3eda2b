"""Checks of the labels and annotations by which Istio is steered (``steering_keys``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from meshproof.errors import Problem
from meshproof.model.embedded_yaml import read_embedded
from meshproof.model.kinds import NOT_YET
from meshproof.model.steering_keys import PROXY_CONFIG, STEERING_KEYS, SteeringKey, Target
from meshproof.sources.documents import Document
from meshproof.sources.location import FieldPath

_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
_REMEDY = "leave it out, or run on a cluster (MESH=kind)"


def find_refused_metadata(document: Document) -> list[Problem]:
    """Labels and annotations of a document, and of its pods, that the embedded mesh does not
    honour."""
    problems = []
    for metadata in _read_metadata(document.value):
        for field, name, value in metadata.entries():
            key = _find(name, metadata.target)
            if key is None or key.accepts(value) or _is_overruled(metadata, field, name):
                continue
            at = (*metadata.path, field, name)
            if key.valid is not None:
                problems.append(document.problem(at, f'is "{value}"', key.wanted))
                continue
            quoted = f'is "{value}"' if len(value) <= 40 and "\n" not in value else "is set"
            message = f"{quoted}, which {NOT_YET}: {key.meaning}"
            accepted = " or ".join(f'"{value}"' for value in key.accepted if value)
            problems.append(document.problem(at, message, accepted, _REMEDY, unsupported=True))
        if metadata.target is Target.POD and metadata.annotations.get(PROXY_CONFIG):
            problems += _check_proxy_config(document, metadata)
    return problems


def _check_proxy_config(document: Document, metadata: _Metadata) -> list[Problem]:
    """What is wrong with the ProxyConfig of pods, at its own lines."""
    from meshproof.model.proxy_config import ProxyConfig  # noqa: PLC0415  (few files have one)

    text = metadata.annotations[PROXY_CONFIG]
    at = (*metadata.path, "annotations", PROXY_CONFIG)
    return read_embedded(ProxyConfig, text, at, document)[1] if isinstance(text, str) else []


def find_metadata_without_effect(document: Mapping[str, Any]) -> Iterator[tuple[FieldPath, str]]:
    """Labels and annotations in Istio's domains that have no effect, with the reason: those that
    Istio does not know, those that it does not look for on such an object, and those without
    meaning to an embedded mesh."""
    for metadata in _read_metadata(document):
        for field, name, _ in metadata.entries():
            if reason := _explain_no_effect(name, metadata.target):
                yield (*metadata.path, field), reason


def _explain_no_effect(name: str, target: Target | None) -> str:
    """Empty for what has an effect, and for what needs no word."""
    key = _find(name, target)
    if key is not None:
        return f"{name} has no effect: {key.meaning}" if key.no_effect and key.meaning else ""
    if rows := STEERING_KEYS.get(name):
        targets = " and ".join(t.value for row in rows for t in row.targets)
        return f"{name} has no effect here: it is for {targets}"
    domain, slash, _ = name.partition("/")
    if not slash or not is_istio_group(domain):
        return ""
    from difflib import get_close_matches  # noqa: PLC0415  # only for a message

    near = get_close_matches(name, STEERING_KEYS, 1, 0.85)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"{name} is not known, and has no effect{hint}"


def _find(name: str, target: Target | None) -> SteeringKey | None:
    rows = STEERING_KEYS.get(name, ())
    return next((r for r in rows if Target.ANY in r.targets or target in r.targets), None)


@dataclass(frozen=True, slots=True)
class _Metadata:
    """The labels and annotations of a document, or of its pod template."""

    path: FieldPath
    target: Target | None
    labels: Mapping[str, Any]
    annotations: Mapping[str, Any]

    def entries(self) -> Iterator[tuple[str, str, str]]:
        """Field, name and value of each that is a string; others are refused elsewhere."""
        for field, values in (("labels", self.labels), ("annotations", self.annotations)):
            for name, value in values.items():
                if isinstance(name, str) and isinstance(value, str):
                    yield field, name, value


def _is_overruled(metadata: _Metadata, field: str, name: str) -> bool:
    """Whether a label beside it takes precedence: for injection the label over the annotation
    (injectRequired), and injection over ambient mode."""
    if name == "sidecar.istio.io/inject":
        return field == "annotations" and name in metadata.labels
    if name == "istio.io/dataplane-mode" and metadata.target is Target.NAMESPACE:
        labels = metadata.labels
        return labels.get("istio-injection") == "enabled" or "istio.io/rev" in labels
    return False


_TARGETS = {
    "Pod": Target.POD,
    "Namespace": Target.NAMESPACE,
    "Service": Target.SERVICE,
    "AuthorizationPolicy": Target.POLICY,
}


def _find_target(document: Mapping[str, Any]) -> Target | None:
    """None for objects of Kubernetes that Istio does not ask, such as a Deployment itself."""
    kind, group = str(document.get("kind")), str(document.get("apiVersion")).partition("/")[0]
    return _TARGETS.get(kind, Target.CONFIG if is_istio_group(group) else None)


def is_istio_group(group: str) -> bool:
    """Whether a domain is Istio's: of an API group, or of a label."""
    return f".{group}".endswith(".istio.io")


def _read_metadata(document: Mapping[str, Any]) -> Iterator[_Metadata]:
    kind = document.get("kind")
    paths: list[tuple[FieldPath, Target | None]] = [(("metadata",), _find_target(document))]
    if kind in _WORKLOADS:
        paths.append((("spec", "template", "metadata"), Target.POD))
    for path, target in paths:
        value: Any = document
        for step in path:
            value = _as_dict(value).get(step)
        fields = _as_dict(value)
        labels, annotations = _as_dict(fields.get("labels")), _as_dict(fields.get("annotations"))
        yield _Metadata(path, target, labels, annotations)


def _as_dict(value: Any) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}
