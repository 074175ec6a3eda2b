"""Every kind with the function that judges its documents: the table, and the way in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from meshproof.model.validation.destination_rule import check_destination_rule
from meshproof.model.validation.extensions import check_envoy_filter, check_wasm_plugin
from meshproof.model.validation.gateway import check_gateway
from meshproof.model.validation.limits import check_limits
from meshproof.model.validation.node import Node, Violation, Violations
from meshproof.model.validation.policies import (
    check_authorization_policy,
    check_peer_authentication,
    check_proxy_config,
    check_request_authentication,
)
from meshproof.model.validation.service_entry import (
    check_service_entry,
    check_workload_entry,
    check_workload_group,
)
from meshproof.model.validation.sidecar import check_sidecar
from meshproof.model.validation.telemetry import check_telemetry
from meshproof.model.validation.virtual_service import check_virtual_service

_GROUPS = ("networking", "security", "telemetry", "extensions")
KIND_RULES: Mapping[str, Callable[[Node], Violations]] = {
    "VirtualService": check_virtual_service,
    "DestinationRule": check_destination_rule,
    "Gateway": check_gateway,
    "ServiceEntry": check_service_entry,
    "WorkloadEntry": check_workload_entry,
    "WorkloadGroup": check_workload_group,
    "Sidecar": check_sidecar,
    "AuthorizationPolicy": check_authorization_policy,
    "PeerAuthentication": check_peer_authentication,
    "RequestAuthentication": check_request_authentication,
    "ProxyConfig": check_proxy_config,
    "Telemetry": check_telemetry,
    "EnvoyFilter": check_envoy_filter,
    "WasmPlugin": check_wasm_plugin,
}
_NEVER = ("internal.istio.io/parents", "internal.istio.io/parent-namespace")
_DRY_RUN = "istio.io/dry-run"


_LIMIT = 8192
_latest: dict[int, tuple[Mapping[str, Any], list[Violation]]] = {}
"""By identity of a document; it is kept too, so that its id stays its own."""


def violations_of(value: Mapping[str, Any]) -> list[Violation]:
    """``find_violations`` of a document that never changes: each is judged once, however many ask.
    Nobody may change the result."""
    judged = _latest.get(id(value))
    if judged is None or judged[0] is not value:
        if len(_latest) >= _LIMIT:
            _latest.clear()
        judged = _latest[id(value)] = (value, find_violations(value))
    return judged[1]


def find_violations(value: Mapping[str, Any]) -> list[Violation]:
    """What Istio refuses, and what it warns of, of one document; nothing of other groups' kinds."""
    group = str(value.get("apiVersion")).partition("/")[0]
    kind = str(value.get("kind"))
    check = KIND_RULES.get(kind)
    if check is None or group not in {f"{name}.istio.io" for name in _GROUPS}:
        return []
    document = Node(value)
    violations = [
        *_check_annotations(document, kind),
        *check_limits(document.get("spec"), kind),
        *check(document),
    ]
    unique = {(v.path, v.warning): v for v in reversed(violations)}
    return [v for v in violations if unique[v.path, v.warning] is v]


def _check_annotations(document: Node, kind: str) -> Violations:
    """``validateMetadata``."""
    for name, value in document.get("metadata").entries("annotations"):
        if name in _NEVER or name == "internal.istio.io/webhook-always-reject":
            yield value.refuse(f"{name} is istiod's own", "none", "remove it")
        if name == _DRY_RUN and kind != "AuthorizationPolicy":
            yield value.refuse(
                "asks for a dry run, which AuthorizationPolicies alone have", "none", "remove it"
            )
