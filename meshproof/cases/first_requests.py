"""Requests that rules are about: one a match of a route, one a rule of a policy. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from meshproof.cases.case import CaseRequest
from meshproof.cases.planned_mesh import PlannedMesh
from meshproof.istio_names import CLUSTER_DOMAIN
from meshproof.model.resource import Resource

GATEWAY = "gateway"
_ANY_HOST = "any.test"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A request for one route or policy, and the name of its case."""

    name: str
    request: CaseRequest


def candidates(mesh: PlannedMesh) -> Iterator[Candidate]:
    """In the order of the rules; none for rules that no HTTP request meets."""
    for rule in mesh.rules:
        spec = rule.body.get("spec")
        if not isinstance(spec, dict):
            continue
        if rule.kind == "VirtualService":
            yield from _of_routes(rule, spec, mesh)
        elif rule.kind == "AuthorizationPolicy":
            yield from _of_policy(rule, spec, mesh)
        elif rule.kind == "ServiceEntry":
            yield from _of_host(rule, spec, mesh)


def _of_routes(rule: Resource, spec: dict[str, Any], mesh: PlannedMesh) -> Iterator[Candidate]:
    hosts = [h for h in spec.get("hosts") or () if isinstance(h, str)]
    if not hosts:
        return  # a delegate: its root's routes lead there
    gateways = spec.get("gateways") or ["mesh"]
    host = hosts[0].replace("*", "any") if hosts[0] != "*" else _ANY_HOST
    senders = [GATEWAY] if "mesh" not in gateways else _senders(mesh, rule.namespace, host)
    for index, http in enumerate(spec.get("http") or ()):
        for match in (http or {}).get("match") or [{}]:
            request = _request(senders[0] if senders else GATEWAY, host, match or {}, mesh)
            name = (http or {}).get("name") or f"{rule.name} {index + 1}"
            yield Candidate(f"{name}: {_describe(match or {})}", request)


def _request(sender: str, host: str, match: dict[str, Any], mesh: PlannedMesh) -> CaseRequest:
    path = _text(match.get("uri")) or "/"
    query = "&".join(
        f"{k}={_text(v) or 'any'}" for k, v in (match.get("queryParams") or {}).items()
    )
    headers = tuple((k.lower(), _text(v) or "any") for k, v in (match.get("headers") or {}).items())
    url = f"http://{host}{_port(host, mesh)}{path if path.startswith('/') else '/' + path}"
    method = _text(match.get("method")) or "GET"
    return CaseRequest(sender, url + (f"?{query}" if query else ""), method, headers)


def _port(host: str, mesh: PlannedMesh) -> str:
    """``:9080`` where the host's Service has no port 80."""
    for service in mesh.store.services:
        full = f"{service.name}.{service.namespace}"
        names = (service.name, full, f"{full}.svc", f"{full}.svc.{CLUSTER_DOMAIN}")
        if host in names:
            numbers = [p.port for p in service.ports]
            return "" if not numbers or 80 in numbers else f":{numbers[0]}"
    return ""


def _text(match: Any) -> str:
    """A text that a StringMatch takes; for an expression, where one is easily seen."""
    if not isinstance(match, dict):
        return ""
    if isinstance(exact := match.get("exact", match.get("prefix")), str):
        return exact
    regex = match.get("regex")
    return _example(regex) if isinstance(regex, str) else ""


def _example(regex: str) -> str:
    """The expression without its optional groups and wildcards; empty if that is no match."""
    text = re.sub(r"\([^()]*\)[?*]", "", regex.strip("^$"))
    text = re.sub(r"\(([^()|]*)\|[^()]*\)", r"\1", text)
    text = text.replace(".*", "").replace(".+", "x").replace("\\", "")
    try:
        return text if re.fullmatch(regex, text) else ""
    except re.error:
        return ""


def _describe(match: dict[str, Any]) -> str:
    parts = []
    for key in ("method", "uri"):
        if isinstance(match.get(key), dict):
            parts += [f"{k} {v}" for k, v in match[key].items()]
    for name, value in (match.get("headers") or {}).items():
        parts += [f"{name} {v}" for v in (value or {"": "is there"}).values()]
    return ", ".join(parts) or "everything else"


def _senders(mesh: PlannedMesh, namespace: str, host: str) -> list[str]:
    """Workloads of the namespace that are not the host themselves, first."""
    short = host.partition(".")[0]
    ranked = sorted(mesh.workloads, key=lambda w: (w[0] != namespace, short in (w[1], w[2])))
    return [f"{n}/{name}" for n, name, _ in ranked]


def _of_policy(rule: Resource, spec: dict[str, Any], mesh: PlannedMesh) -> Iterator[Candidate]:
    labels = ((spec.get("selector") or {}).get("matchLabels")) or {}
    host = _host_of(mesh, rule.namespace, labels)
    if not host:
        return
    for index, entry in enumerate(spec.get("rules") or [{}]):
        sources = [(f or {}).get("source") or {} for f in (entry or {}).get("from") or [{}]]
        operations = [(t or {}).get("operation") or {} for t in (entry or {}).get("to") or [{}]]
        source, operation = sources[0], operations[0]
        path = _first(operation.get("paths"), "/").replace("*", "any")
        url = f"http://{host}{path if path.startswith('/') else '/' + path}"
        method = _first(operation.get("methods"), "GET")
        sender = _sender(mesh, source, rule.namespace, host)
        if sender:
            name = f"{rule.name} {spec.get('action', 'ALLOW')} {index + 1}: {method} {path}"
            yield Candidate(name, CaseRequest(sender, url, method))
        other = next((s for s in _senders(mesh, rule.namespace, host) if s != sender), "")
        if other and source:
            yield Candidate(
                f"{rule.name} {index + 1}: another caller", CaseRequest(other, url, method)
            )


def _first(values: Any, default: str) -> str:
    return values[0] if isinstance(values, list) and values else default


def _host_of(mesh: PlannedMesh, namespace: str, labels: dict[str, str]) -> str:
    """A Service whose selector the policy's workloads have; any of the namespace without labels."""
    for service in mesh.store.services:
        selector = service.selector or {}
        is_same = service.namespace == namespace and selector
        if is_same and (
            not labels or selector.items() <= labels.items() or labels.items() <= selector.items()
        ):
            host = f"{service.name}.{service.namespace}"
            numbers = [p.port for p in service.ports]
            return host if not numbers or 80 in numbers else f"{host}:{numbers[0]}"
    return ""


def _sender(mesh: PlannedMesh, source: dict[str, Any], namespace: str, host: str) -> str:
    """A workload with the first identity that the rule names, else any."""
    principal = _first(source.get("principals"), "")
    account = principal.rpartition("/sa/")[2]
    for proxy in mesh.fleet.proxies:
        fits = bool(account) and proxy.identity.endswith(f"/{principal}")
        if not proxy.gateway and (fits or proxy.namespace in (source.get("namespaces") or ())):
            return proxy.workload
    return next(iter(_senders(mesh, namespace, host)), "")


def _of_host(rule: Resource, spec: dict[str, Any], mesh: PlannedMesh) -> Iterator[Candidate]:
    senders = _senders(mesh, rule.namespace, "")
    hosts = [h for h in spec.get("hosts") or () if "*" not in h]
    for port in (spec.get("ports") or ())[:1]:
        protocol = str(port.get("protocol", "")).upper()
        scheme = "https" if protocol in ("HTTPS", "TLS") else "http"
        if senders and hosts and protocol in ("HTTP", "HTTPS", "TLS", "HTTP2", "GRPC"):
            url = f"{scheme}://{hosts[0]}:{port['number']}/"
            yield Candidate(f"{rule.name}: {hosts[0]} is open", CaseRequest(senders[0], url))
