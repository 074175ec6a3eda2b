"""Requests that an AuthorizationPolicy is about: one a rule, and one of another caller. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from meshproof.cases.case import CaseRequest
from meshproof.cases.first_callers import (
    Caller,
    callers_at_gateways,
    callers_in_mesh,
    senders,
)
from meshproof.cases.planned_mesh import PlannedMesh
from meshproof.istio_names import ROOT_NAMESPACE
from meshproof.model.resource import Resource

Json = Mapping[str, Any]
_MOST = 24
Requests = list[CaseRequest]


def policy_requests(
    rule: Resource, spec: Json, mesh: PlannedMesh
) -> Iterator[tuple[str, int | None, Requests]]:
    """The name of a case, the rule of the policy (None for the whole) and its requests."""
    rules = spec.get("rules") or [{}]
    for index, entry in enumerate(rules):
        place = index if spec.get("rules") else None
        source = _first((entry or {}).get("from"), {}).get("source") or {}
        operation = _first((entry or {}).get("to"), {}).get("operation") or {}
        path = str(_first(operation.get("paths"), "/")).replace("*", "any")
        path = path if path.startswith("/") else f"/{path}"
        method = _first(operation.get("methods"), "GET")
        port = int(_first(operation.get("ports"), 0))
        callers = list(_callers(rule, spec, mesh, port))
        preferred = _fitting_senders(mesh, source)
        ranked = sorted(callers, key=lambda c: c.sender not in preferred)[:_MOST]
        name = f"{rule.name} {spec.get('action', 'ALLOW')} {index + 1}: {method} {path}"
        yield name, place, [CaseRequest(c.sender, c.origin + path, method) for c in ranked]
        others = [c for c in callers if c.sender not in preferred]
        if source and preferred and others:
            other = CaseRequest(others[0].sender, others[0].origin + path, method)
            yield f"{rule.name} {index + 1}: another caller", None, [other]


def _first(values: Any, default: Any) -> Any:
    return values[0] if isinstance(values, list) and values and values[0] is not None else default


def _callers(rule: Resource, spec: Json, mesh: PlannedMesh, port: int) -> Iterator[Caller]:
    hosts = list(_hosts(rule, spec, mesh))
    for host in hosts:
        yield from callers_in_mesh(mesh, rule.namespace, host)
        if port:
            yield from callers_in_mesh(mesh, rule.namespace, host, port)
    if not hosts:
        yield from callers_at_gateways(mesh, "*")


def _hosts(rule: Resource, spec: Json, mesh: PlannedMesh) -> Iterator[str]:
    """Services whose selector the policy's workloads have; those of the namespace (of all, for the
    root namespace) without labels."""
    labels = (spec.get("selector") or {}).get("matchLabels") or {}
    targets = {t.get("name") for t in _targets(spec)}
    for service in mesh.store.services:
        selector = service.selector or {}
        is_here = rule.namespace in (service.namespace, ROOT_NAMESPACE)
        if targets:
            fits = service.name in targets
        else:
            same = selector.items() <= labels.items() or labels.items() <= selector.items()
            fits = bool(selector) and (not labels or same)
        if is_here and fits:
            yield f"{service.name}.{service.namespace}"


def _targets(spec: Json) -> Sequence[Json]:
    refs = [*(spec.get("targetRefs") or ()), spec.get("targetRef") or {}]
    return [r for r in refs if r.get("name")]


def _fitting_senders(mesh: PlannedMesh, source: Json) -> list[str]:
    """Workloads with an identity or a namespace that the source names; all where it names
    neither."""
    principals = [str(p) for p in source.get("principals") or ()]
    namespaces = source.get("namespaces") or ()
    accounts = [str(a) for a in source.get("serviceAccounts") or ()]
    if not (principals or namespaces or accounts):
        return senders(mesh, "", "")
    return [
        p.workload
        for p in mesh.fleet.proxies
        if not p.gateway
        and (
            p.namespace in namespaces
            or any(p.identity.endswith(f"/{name}") for name in principals)
            or any(p.identity.endswith(f"/sa/{a.rpartition('/')[2]}") for a in accounts)
        )
    ]
