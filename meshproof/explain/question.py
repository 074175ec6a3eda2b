"""A question to a fleet of Envoys: whose request it is, and where its rules stand in files."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass

from meshproof import workload_names as names
from meshproof.explain.capture import captures
from meshproof.explain.explain import explain
from meshproof.explain.origin import Locate, RuleOrigin
from meshproof.explain.proxies import Fleet, Proxy
from meshproof.explain.request import build_request
from meshproof.explain.result import Explanation
from meshproof.model.resource import Resource
from meshproof.sources.location import FieldPath


@dataclass(frozen=True, slots=True)
class Question:
    """``source`` is a workload, ``gateway``, or the workload of another gateway."""

    source: str
    url: str
    method: str = "GET"
    headers: Sequence[tuple[str, str]] = ()


def explain_question(fleet: Fleet, lowered: Sequence[Resource], question: Question) -> Explanation:
    """``lowered`` (``Store.lowered``) locates rules in files. Raises UsageError for unknown names
    and invalid URLs."""
    caller = _caller(fleet, question.source)
    request = build_request(
        question.method,
        question.url,
        question.headers,
        tunnel=not caller.gateway and not captures(caller),
    )
    return explain(fleet, caller, request, now=time.time(), locate=_rule_locator(lowered))


def gateway_names(gateway: Proxy) -> tuple[str, ...]:
    """What a gateway is called as a sender: ``gateway`` (the ingress gateway alone),
    ``NAMESPACE/NAME`` and ``NAME``."""
    name = gateway.name.removeprefix(f"{gateway.namespace}.")
    return tuple(dict.fromkeys((gateway.workload, f"{gateway.namespace}/{name}", name)))


def _caller(fleet: Fleet, source: str) -> Proxy:
    """Any replica of the workload: all have the same rules."""
    for gateway in (p for p in fleet.proxies if p.gateway):
        if source in gateway_names(gateway):
            return gateway
    sidecars = [p for p in fleet.proxies if not p.gateway]
    candidates = [(p.namespace, p.workload.rpartition("/")[2], p.app) for p in sidecars]
    namespace, name = names.resolve(source, candidates)
    return next(p for p in sidecars if p.workload == f"{namespace}/{name}")


def _rule_locator(lowered: Sequence[Resource]) -> Locate:
    """Locates rules in files, those of Istio 0.4 included."""
    by_key: dict[tuple[str, str, str], Resource] = {}

    def locate(rule: RuleOrigin) -> RuleOrigin:
        if not by_key:
            by_key.update({r.key: r for r in lowered})
        resource = by_key.get((rule.kind, rule.namespace, rule.name))
        if resource is None:
            return rule
        problem = resource.problem(_path(rule.field), "")
        kind, _, name_and_namespace = problem.resource.partition(" ")
        namespace, _, name = name_and_namespace.rpartition("/")
        return RuleOrigin(kind, namespace, name, problem.field, problem.file, problem.line)

    return locate


def _path(field: str) -> FieldPath:
    """``spec.http[0].match`` as a path of a resource."""
    return tuple(int(p) if p.isdigit() else p for p in re.findall(r"[A-Za-z]+|\d+", field))
