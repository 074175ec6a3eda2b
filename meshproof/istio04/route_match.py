"""A RouteRule's ``match`` as a VirtualService's.

- Keys ``uri``, ``method``, ``authority`` and ``scheme`` become fields; other keys are headers.
- A uri ``regex`` is refused. 0.4 matched it against a header that is literally named ``uri``, so
  such a rule never took a request; v1 would make it work, which is not what the rule did.
- ``source`` becomes ``sourceLabels`` (the named service's selector plus the labels) and
  ``sourceNamespace``. v1 has no field for a caller's service.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshproof.errors import Problem
from meshproof.istio04.references import resolve_callers
from meshproof.model.resource import Resource
from meshproof.model.v1alpha2 import RouteRule
from meshproof.model.virtual_service_route import StringMatch
from meshproof.translate.world import Service

_FIELDS = ("uri", "method", "authority", "scheme")
_SOURCE = ("spec", "match", "source")


def lower_match(rule: Resource, services: Mapping[str, Service]) -> dict[str, Any] | None:
    """One entry of ``http[].match``; empty if all requests match, None if none can."""
    spec: RouteRule = rule.spec
    entry: dict[str, Any] = {}
    if spec.match is None:
        return entry
    for key, value in _headers(spec).items():
        if key in _FIELDS:
            entry[key] = value
        else:
            entry.setdefault("headers", {})[key] = value
    if spec.match.source is not None:
        source_pods = resolve_callers(spec.match.source, rule, services)
        if isinstance(source_pods, str):
            return None
        entry["sourceLabels"] = dict(source_pods.labels)
        entry["sourceNamespace"] = source_pods.namespace
    return entry


def is_catch_all(entry: Mapping[str, Any]) -> bool:
    """0.4 added no default route after a rule that takes every request of every caller."""
    return not entry or entry == {"uri": StringMatch.model_validate({"prefix": "/"})}


def check_match(rule: Resource) -> list[Problem]:
    """What ``match`` says that v1 cannot express, or that 0.4 itself refused."""
    spec: RouteRule = rule.spec
    problems: list[Problem] = []
    for key, value in _headers(spec).items():
        path = ("spec", "match", "request", "headers", key)
        if key in _FIELDS and not _has_value(value):
            problems.append(rule.problem(path, "is empty", "exact or prefix"))
        if key == "uri" and value.regex is not None:
            problems.append(_uri_regex(rule, value.regex))
    source = spec.match.source if spec.match else None
    if source is not None and not source.name:
        problems.append(
            rule.problem(
                _SOURCE,
                "names no service",
                "source.name",
                "Istio 0.4 took no source without one",
            )
        )
    return problems


def _headers(spec: RouteRule) -> Mapping[str, StringMatch]:
    return spec.match.request.headers if spec.match and spec.match.request else {}


def _has_value(match: StringMatch) -> bool:
    return any(value is not None for value in (match.exact, match.prefix, match.regex))


def _uri_regex(rule: Resource, regex: str) -> Problem:
    return rule.problem(
        ("spec", "match", "request", "headers", "uri", "regex"),
        f"{regex!r} never matched in Istio 0.4, which looked for a header named uri",
        "exact or prefix",
        "or a networking.istio.io/v1 VirtualService, where match.uri.regex works",
    )
