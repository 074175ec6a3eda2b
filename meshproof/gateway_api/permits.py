"""Backends in other namespaces, which a route at a Gateway may name only where a ReferenceGrant
allows it (Istio: buildDestination in pilot/pkg/config/kube/gateway/conversion.go)."""

from __future__ import annotations

from typing import Any

from meshproof.gateway_api.grants import Grants
from meshproof.model.http_route_references import SERVICE, BackendObjectReference
from meshproof.model.resource import Resource

_NOT_PERMITTED = "NotPermitted"
"""The kind of a reference that is not followed: a backend that does not exist."""


def permits(ref: BackendObjectReference, route: Resource, grants: Grants) -> bool:
    """Whether ``route`` may name a backend."""
    if ref.group_kind != SERVICE or ref.namespace is None:
        return True
    return grants.allow(route.kind, route.namespace, "Service", ref.namespace, ref.name)


def only_permitted(rule: Any, route: Resource, grants: Grants) -> Any:
    """A rule of a route, without effect for backends and mirrors that it may not name."""

    def checked(ref: Any) -> Any:
        update = {"kind": _NOT_PERMITTED}
        return ref if permits(ref, route, grants) else ref.model_copy(update=update)

    update: dict[str, Any] = {"backend_refs": [checked(ref) for ref in rule.backend_refs]}
    if getattr(rule, "filters", None):
        update["filters"] = [
            entry.model_copy(
                update={
                    "request_mirror": entry.request_mirror.model_copy(
                        update={"backend_ref": checked(entry.request_mirror.backend_ref)}
                    )
                }
            )
            if entry.request_mirror
            else entry
            for entry in rule.filters
        ]
    return rule.model_copy(update=update)
