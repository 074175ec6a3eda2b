"""Delegates: routes of a VirtualService without hosts, merged into the one that names it.

Istio: mergeVirtualServicesIfNeeded in pilot/pkg/model/virtualservice.go. Each route of the
delegate is merged with the root's route: matches are multiplied, fields that the delegate leaves
out come from the root, and a route whose match lies outside the root's match is dropped. If the
delegate is missing or not exported to the root's namespace, only that root route is dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from meshproof.model.virtual_service import HTTPRoute, VirtualService
from meshproof.model.virtual_service_route import Destination, HTTPMatchRequest, StringMatch
from meshproof.translate.host_names import fqdn, gateway_key
from meshproof.translate.route_metadata import with_origin
from meshproof.translate.visibility import is_visible
from meshproof.translate.world import Named

_INHERITED = (
    "rewrite",
    "direct_response",
    "timeout",
    "retries",
    "fault",
    "mirror",
    "mirror_percent",
    "mirror_percentage",
    "cors_policy",
)
_MAPS = ("headers", "without_headers", "query_params", "source_labels")
_VALUES = ("uri", "scheme", "method", "authority", "port")

Rules = tuple[Named[VirtualService], ...]


def resolve_delegates(rules: Rules) -> Rules:
    """``rules`` without delegates, whose routes replace the routes that name them."""
    delegates = {(r.namespace, r.name): r for r in rules if not r.spec.hosts}
    if not delegates and not any(_has_delegates(r) for r in rules):
        return rules
    return tuple(
        _merge_delegates(r, delegates) if _has_delegates(r) else r for r in rules if r.spec.hosts
    )


def _has_delegates(rule: Named[VirtualService]) -> bool:
    return any(http.delegate for http in rule.spec.http)


def _merge_delegates(
    root: Named[VirtualService], delegates: Mapping[tuple[str, str], Named[VirtualService]]
) -> Named[VirtualService]:
    routes: list[HTTPRoute] = []
    for index, http in enumerate(root.spec.http):
        if http.delegate is None:
            field = f"spec.http[{index}]"
            routes.append(with_origin(http, "VirtualService", root.namespace, root.name, field))
            continue
        namespace = http.delegate.namespace or root.namespace
        delegate = delegates.get((namespace, http.delegate.name))
        if delegate and is_visible(delegate.spec.export_to, namespace, root.namespace):
            routes += _merge_routes(http, delegate)
    spec = root.spec.model_copy(update={"http": routes})
    return Named(root.name, root.namespace, spec, root.gateway)


def _merge_routes(root: HTTPRoute, delegate: Named[VirtualService]) -> Iterator[HTTPRoute]:
    for index, http in enumerate(delegate.spec.http):
        route = _qualify(http, delegate.namespace)
        matches = _merge_matches(root.match, route.match)
        if matches is None:
            continue
        names = (n for n in (root.name, route.name) if n)
        fields: dict[str, Any] = {"match": matches, "name": "-".join(names) or None}
        for name in _INHERITED:
            if getattr(route, name) is None:
                fields[name] = getattr(root, name)
        if not route.mirrors:
            fields["mirrors"] = root.mirrors
        if "headers" not in route.model_fields_set:
            fields["headers"] = root.headers
        merged = route.model_copy(update=fields)
        field = f"spec.http[{index}]"
        yield with_origin(merged, "VirtualService", delegate.namespace, delegate.name, field)


def _qualify(http: HTTPRoute, namespace: str) -> HTTPRoute:
    """With full names: a short one belongs to the delegate's namespace."""

    def qualify_host(to: Destination) -> Destination:
        return to.model_copy(update={"host": fqdn(to.host, namespace)})

    return http.model_copy(
        update={
            "route": [
                r.model_copy(update={"destination": qualify_host(r.destination)})
                for r in http.route
            ],
            "mirror": qualify_host(http.mirror) if http.mirror else None,
            "mirrors": [
                m.model_copy(update={"destination": qualify_host(m.destination)})
                for m in http.mirrors
            ],
            "match": [
                m.model_copy(
                    update={"gateways": [_qualify_gateway(g, namespace) for g in m.gateways]}
                )
                for m in http.match
            ],
        }
    )


def _qualify_gateway(name: str, namespace: str) -> str:
    return name if name == "mesh" else "/".join(gateway_key(name, namespace))


def _merge_matches(
    root: list[HTTPMatchRequest], delegate: list[HTTPMatchRequest]
) -> list[HTTPMatchRequest] | None:
    """Every pair that does not conflict; None if an entry of the delegate conflicts with all."""
    if not root or not delegate:
        return delegate or root
    merged: list[HTTPMatchRequest] = []
    for entry in delegate:
        compatible = [r for r in root if not _conflicts(r, entry)]
        if not compatible:
            return None
        merged += [_merge_match(r, entry) for r in compatible]
    return merged


def _merge_match(root: HTTPMatchRequest, delegate: HTTPMatchRequest) -> HTTPMatchRequest:
    names = (n for n in (root.name, delegate.name) if n)
    fields: dict[str, Any] = {"name": "-".join(names) or None}
    for name in _VALUES:
        if getattr(delegate, name) is None:
            fields[name] = getattr(root, name)
    for name in _MAPS:
        fields[name] = {**getattr(root, name), **getattr(delegate, name)}
    for name in ("source_namespace", "gateways", "stat_prefix"):
        fields[name] = getattr(delegate, name) or getattr(root, name)
    return delegate.model_copy(update=fields)


def _conflicts(root: HTTPMatchRequest, delegate: HTTPMatchRequest) -> bool:
    strings: Iterable[tuple[StringMatch | None, StringMatch | None]] = [
        (root.uri, delegate.uri),
        (root.scheme, delegate.scheme),
        (root.method, delegate.method),
        (root.authority, delegate.authority),
        *((root.headers.get(key), text) for key, text in delegate.headers.items()),
        *((root.without_headers.get(key), text) for key, text in delegate.without_headers.items()),
        *((root.query_params.get(key), text) for key, text in delegate.query_params.items()),
    ]
    labels = any(root.source_labels.get(k, v) != v for k, v in delegate.source_labels.items())
    other_port = bool(root.port and delegate.port and root.port != delegate.port)
    other_place = bool(root.source_namespace and delegate.source_namespace != root.source_namespace)
    gateways = bool(root.gateways) and not set(delegate.gateways) <= set(root.gateways)
    case = root.ignore_uri_case != delegate.ignore_uri_case
    outside = any(_strings_conflict(r, o) for r, o in strings)
    return outside or labels or other_port or other_place or gateways or case


def _strings_conflict(root: StringMatch | None, delegate: StringMatch | None) -> bool:
    """Whether ``delegate`` may match what ``root`` does not; expressions are never compared."""
    if root is None or delegate is None:
        return False
    if root.regex and (delegate.regex or delegate.prefix or delegate.exact):
        return True
    if delegate.regex and (root.prefix or root.exact):
        return True
    if root.exact:
        return bool(delegate.prefix) or delegate.exact != root.exact
    if root.prefix and (delegate.prefix or delegate.exact):
        return not (delegate.prefix or delegate.exact or "").startswith(root.prefix)
    return True
