"""Pods and namespaces that Istio treats in another way than they ask for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshproof.errors import Problem
from meshproof.lint.context import LintContext
from meshproof.model.istio_metadata import find_metadata_without_effect
from meshproof.sources.location import FieldPath

_PROXY_USER = 1337
_POD_PATHS: tuple[FieldPath, ...] = (("spec", "template", "spec"), ("spec",))
_INJECTION = ("istio-injection", "istio.io/rev", "istio.io/dataplane-mode")


def find_proxy_users(context: LintContext) -> Iterator[Problem]:
    """A container with the user of Istio's proxy, whose traffic is not captured (IST0144)."""
    for resource in context.resources:
        for path in _POD_PATHS:
            pod = _at(resource.body, path)
            if not isinstance(pod, dict) or "containers" not in pod:
                continue
            yield from (
                resource.problem(
                    (*path, *inner),
                    f"is {_PROXY_USER}, the user of Istio's proxy: on a cluster what it sends "
                    "passes no sidecar",
                    "another user",
                )
                for inner in _users(pod)
            )


def _users(pod: dict[str, Any]) -> Iterator[FieldPath]:
    at: FieldPath = ("securityContext", "runAsUser")
    if _at(pod, at) == _PROXY_USER:
        yield at
    for index, container in enumerate(pod["containers"]):
        name = container.get("name") if isinstance(container, dict) else "istio-proxy"
        if name != "istio-proxy" and _at(container, at) == _PROXY_USER:
            yield ("containers", index, *at)


def _at(value: Any, path: FieldPath) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def find_ambiguous_namespaces(context: LintContext) -> Iterator[Problem]:
    """A Namespace with more than one label of injection (IST0123)."""
    for namespace in context.of("Namespace"):
        names = [name for name in _INJECTION if name in namespace.labels]
        if len(names) > 1 and namespace.labels.get("istio-injection", "enabled") == "enabled":
            yield namespace.problem(
                ("metadata", "labels"),
                f"has {' and '.join(names)}; Istio follows {names[0]} alone",
                "one of them",
            )


def find_idle_metadata(context: LintContext) -> Iterator[Problem]:
    """Labels and annotations of Istio's that it does not know, or not on such an object (IST0107,
    IST0108)."""
    for resource in context.resources:
        for path, reason in find_metadata_without_effect(resource.body):
            yield resource.problem(path, reason)
