"""Requests that rules are about: one a match of a route, one a rule of a policy. Pure.

Several are thought of for each, best first: which of them the rule has a say on, ``explain`` tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from meshproof.cases.case import CaseRequest
from meshproof.cases.coverage import Key, keys_of
from meshproof.cases.facts import Facts
from meshproof.cases.first_callers import (
    Caller,
    callers_at_gateways,
    callers_in_mesh,
    concrete_hosts,
    senders,
)
from meshproof.cases.first_matches import describe_match, matches_of_rule, query_of, text_of
from meshproof.cases.first_policy_requests import policy_requests
from meshproof.cases.planned_mesh import PlannedMesh
from meshproof.errors import UsageError
from meshproof.model.resource import Resource

Json = Mapping[str, Any]
_MOST = 24
"""Requests that are thought of for one match."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Requests for one route or policy, best first, and the name of its case. ``unit`` is what
    such a request must visit; None for anything."""

    name: str
    requests: tuple[CaseRequest, ...]
    unit: Key | None = None


def candidates(mesh: PlannedMesh) -> Iterator[Candidate]:
    """In the order of the rules; none for rules that no HTTP request meets."""
    for rule in mesh.rules:
        spec = rule.body.get("spec")
        if not isinstance(spec, dict):
            continue
        if rule.kind == "VirtualService":
            yield from _of_virtual_service(rule, spec, mesh)
        elif rule.kind in ("HTTPRoute", "GRPCRoute"):
            yield from _of_gateway_api(rule, spec, mesh)
        elif rule.kind == "AuthorizationPolicy":
            for name, index, requests in policy_requests(rule, spec, mesh):
                yield Candidate(name, tuple(requests), _unit(rule, "rules", index))
        elif rule.kind == "ServiceEntry":
            yield from _of_host(rule, spec, mesh)


def choose(candidate: Candidate, mesh: PlannedMesh) -> tuple[CaseRequest, Facts] | None:
    """The first of its requests that visits the unit; None if none does."""
    for request in candidate.requests:
        try:
            facts = Facts(mesh.explain(request), mesh, request.sender)
        except UsageError:
            continue  # such as a gateway that does not listen there
        if candidate.unit is None or candidate.unit in keys_of(facts.visited):
            return request, facts
    return None


def _unit(rule: Resource, name: str, index: int | None) -> Key:
    field = "" if index is None else f"spec.{name}[{index}]"
    return (rule.title, rule.location.file, field)


def _of_virtual_service(rule: Resource, spec: Json, mesh: PlannedMesh) -> Iterator[Candidate]:
    hosts = [h for h in spec.get("hosts") or () if isinstance(h, str)]
    if not hosts:
        return  # a delegate: its root's routes lead there
    gateways = spec.get("gateways") or ["mesh"]
    for index, http in enumerate(spec.get("http") or ()):
        for match in (http or {}).get("match") or [{}]:
            callers = _callers(rule, hosts, match or {}, mesh, gateways)
            name = (http or {}).get("name") or f"{rule.name} {index + 1}"
            requests = _requests(callers, match or {})
            delegates = "delegate" in (http or {})
            unit = None if delegates else _unit(rule, "http", index)
            yield Candidate(f"{name}: {describe_match(match or {})}", requests, unit)


def _callers(
    rule: Resource, hosts: Sequence[str], match: Json, mesh: PlannedMesh, gateways: Sequence[str]
) -> list[Caller]:
    gateways = match.get("gateways") or gateways
    named = [text_of(match["authority"])] if match.get("authority") else []
    result: list[Caller] = []
    if "mesh" in gateways:
        for host in [n for n in named if n] or concrete_hosts(hosts):
            result += callers_in_mesh(mesh, rule.namespace, host, int(match.get("port") or 0))
    if set(gateways) - {"mesh"}:
        for host in [n for n in named if n] or hosts:
            result += callers_at_gateways(mesh, host)
    return result


def _of_gateway_api(rule: Resource, spec: Json, mesh: PlannedMesh) -> Iterator[Candidate]:
    callers = list(_parents(rule, spec, mesh))
    for index, entry in enumerate(spec.get("rules") or ()):
        for match in matches_of_rule(rule.kind, entry or {}):
            name = (entry or {}).get("name") or f"{rule.name} {index + 1}"
            requests = _requests(callers, match)
            yield Candidate(
                f"{name}: {describe_match(match)}", requests, _unit(rule, "rules", index)
            )


def _parents(rule: Resource, spec: Json, mesh: PlannedMesh) -> Iterator[Caller]:
    for parent in spec.get("parentRefs") or ():
        if parent.get("kind", "Gateway") == "Gateway":
            for host in spec.get("hostnames") or ["*"]:
                yield from callers_at_gateways(mesh, host)
        else:
            namespace = parent.get("namespace") or rule.namespace
            host = parent["name"]
            if parent["kind"] == "Service":
                host = f"{host}.{namespace}"
            yield from callers_in_mesh(mesh, rule.namespace, host, int(parent.get("port") or 0))


def _requests(callers: Iterable[Caller], match: Json) -> tuple[CaseRequest, ...]:
    path, query = text_of(match.get("uri")) or "/", query_of(match)
    path = path if path.startswith("/") else f"/{path}"
    headers = tuple(
        (k.lower(), text_of(v) or "any") for k, v in (match.get("headers") or {}).items()
    )
    method = text_of(match.get("method")) or "GET"
    return tuple(
        CaseRequest(c.sender, f"{c.origin}{path}{query}", method, headers)
        for c, _ in zip(callers, range(_MOST), strict=False)
    )


def _of_host(rule: Resource, spec: Json, mesh: PlannedMesh) -> Iterator[Candidate]:
    hosts = [h for h in spec.get("hosts") or () if "*" not in h]
    for port in (spec.get("ports") or ())[:1]:
        protocol = str(port.get("protocol", "")).upper()
        scheme = "https" if protocol in ("HTTPS", "TLS") else "http"
        if hosts and protocol in ("HTTP", "HTTPS", "TLS", "HTTP2", "GRPC"):
            url = f"{scheme}://{hosts[0]}:{port['number']}/"
            own = tuple(CaseRequest(s, url) for s in senders(mesh, rule.namespace, "")[:1])
            yield Candidate(f"{rule.name}: {hosts[0]} is open", own)
