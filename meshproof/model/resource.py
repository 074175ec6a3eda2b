"""A decoded document: its identity, its typed spec, and its location."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from meshproof.errors import Problem
from meshproof.sources.location import FieldPath, Location, Origin, dotted


@dataclass(frozen=True, slots=True)
class Resource:
    """One Kubernetes object. Equality ignores where it was read from."""

    api_version: str
    kind: str
    """As documents write it, but for the Gateway API's Gateway: ``KubernetesGateway``."""
    name: str
    namespace: str
    """Empty for kinds without one (Namespace), and until the mesh has filled in its default."""
    labels: Mapping[str, str]
    spec: Any
    """An instance of the kind's model, such as ``VirtualService``; None for a document that no
    model reads."""
    location: Location = field(compare=False)
    export_to: tuple[str, ...] = ()
    """For a Service: the namespaces in its annotation ``networking.istio.io/exportTo``."""
    dry_run: bool = False
    """For an AuthorizationPolicy: its annotation ``istio.io/dry-run``."""
    traffic_distribution: str = ""
    """For a Service or a ServiceEntry: its annotation
    ``networking.istio.io/traffic-distribution``."""
    gateway_services: tuple[str, ...] = ()
    """For a Gateway: the hosts of Services in its annotation
    ``internal.istio.io/gateway-service``."""
    ingress_class: str | None = None
    """For an Ingress: its annotation ``kubernetes.io/ingress.class``."""
    body: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """The document as plain data, as it was written; empty for a resource that was generated."""
    unsupported: tuple[Problem, ...] = field(default=(), compare=False, repr=False)
    """What the embedded mesh does not honour of a document that was admitted nevertheless."""

    @property
    def manifest(self) -> dict[str, Any]:
        """``body`` with the namespace filled in, as an API server is sent it."""
        if not self.namespace:
            return dict(self.body)
        metadata = {**self.body.get("metadata", {}), "namespace": self.namespace}
        return {**self.body, "metadata": metadata}

    @property
    def key(self) -> tuple[str, str, str]:
        """Kind, namespace and name: the identity. All API versions of a kind are one kind."""
        return (self.kind, self.namespace, self.name)

    @property
    def title(self) -> str:
        """The name in messages: ``VirtualService default/svcb``."""
        full_name = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.kind.removeprefix('Kubernetes')} {full_name}"

    def in_namespace(self, namespace: str) -> Resource:
        return replace(self, namespace=namespace)

    def problem(self, path: FieldPath, found: str, wanted: str = "", remedy: str = "") -> Problem:
        """A problem at one field of this document, or of the one that it was generated from."""
        origin = self.location.origin_of(path)
        return Problem(
            file=origin.file if origin else self.location.file,
            line=origin.line if origin else self.location.line_of(path),
            resource=origin.resource if origin else self.title,
            field=origin.field if origin else dotted(path),
            found=found,
            wanted=wanted,
            remedy=remedy,
        )

    def origin(self, path: FieldPath) -> Origin:
        """One field of this document, as the origin of a generated one."""
        return Origin(self.location.file, self.location.line_of(path), self.title, dotted(path))
