"""Delegation: routes of a VirtualService without hosts, put where another one names it.

Istio: mergeVirtualServicesIfNeeded in pilot/pkg/model/virtualservice.go. Each route of the
delegate is merged with the root's: matches are multiplied, what the delegate does not say comes
from the root, and a route whose match lies outside the root's is left out. A delegate that is
missing, or not exported to the root's namespace, drops that root route alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from meshproof.model.virtual_service import HTTPRoute, VirtualService
from meshproof.model.virtual_service_route import Destination, HTTPMatchRequest, StringMatch
from meshproof.translate.host_names import fqdn, gateway_key
from meshproof.translate.route_metadata import written
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


def resolved(rules: Rules) -> Rules:
    """``rules`` without delegates, their routes in the places that name them."""
    delegates = {(r.namespace, r.name): r for r in rules if not r.spec.hosts}
    if not delegates and not any(_delegates(r) for r in rules):
        return rules
    return tuple(_merged(r, delegates) if _delegates(r) else r for r in rules if r.spec.hosts)


def _delegates(rule: Named[VirtualService]) -> bool:
    return any(http.delegate for http in rule.spec.http)


def _merged(
    root: Named[VirtualService], delegates: Mapping[tuple[str, str], Named[VirtualService]]
) -> Named[VirtualService]:
    routes: list[HTTPRoute] = []
    for index, http in enumerate(root.spec.http):
        if http.delegate is None:
            field = f"spec.http[{index}]"
            routes.append(written(http, "VirtualService", root.namespace, root.name, field))
            continue
        where = http.delegate.namespace or root.namespace
        found = delegates.get((where, http.delegate.name))
        if found and is_visible(found.spec.export_to, where, root.namespace):
            routes += _routes(http, found)
    spec = root.spec.model_copy(update={"http": routes})
    return Named(root.name, root.namespace, spec, root.gateway)


def _routes(root: HTTPRoute, delegate: Named[VirtualService]) -> Iterator[HTTPRoute]:
    for index, http in enumerate(delegate.spec.http):
        own = _qualified(http, delegate.namespace)
        matches = _matches(root.match, own.match)
        if matches is None:
            continue
        names = (n for n in (root.name, own.name) if n)
        fields: dict[str, Any] = {"match": matches, "name": "-".join(names) or None}
        for name in _INHERITED:
            if getattr(own, name) is None:
                fields[name] = getattr(root, name)
        if not own.mirrors:
            fields["mirrors"] = root.mirrors
        if "headers" not in own.model_fields_set:
            fields["headers"] = root.headers
        made = own.model_copy(update=fields)
        field = f"spec.http[{index}]"
        yield written(made, "VirtualService", delegate.namespace, delegate.name, field)


def _qualified(http: HTTPRoute, namespace: str) -> HTTPRoute:
    """Short names mean what they mean in the delegate's own namespace."""

    def full(to: Destination) -> Destination:
        return to.model_copy(update={"host": fqdn(to.host, namespace)})

    return http.model_copy(
        update={
            "route": [
                r.model_copy(update={"destination": full(r.destination)}) for r in http.route
            ],
            "mirror": full(http.mirror) if http.mirror else None,
            "mirrors": [
                m.model_copy(update={"destination": full(m.destination)}) for m in http.mirrors
            ],
            "match": [
                m.model_copy(update={"gateways": [_gateway(g, namespace) for g in m.gateways]})
                for m in http.match
            ],
        }
    )


def _gateway(name: str, namespace: str) -> str:
    return name if name == "mesh" else "/".join(gateway_key(name, namespace))


def _matches(
    root: list[HTTPMatchRequest], own: list[HTTPMatchRequest]
) -> list[HTTPMatchRequest] | None:
    """Every pair that does not conflict; None where an entry of the delegate fits no entry."""
    if not root or not own:
        return own or root
    made: list[HTTPMatchRequest] = []
    for entry in own:
        fitting = [r for r in root if not _conflict(r, entry)]
        if not fitting:
            return None
        made += [_match(r, entry) for r in fitting]
    return made


def _match(root: HTTPMatchRequest, own: HTTPMatchRequest) -> HTTPMatchRequest:
    names = (n for n in (root.name, own.name) if n)
    fields: dict[str, Any] = {"name": "-".join(names) or None}
    for name in _VALUES:
        if getattr(own, name) is None:
            fields[name] = getattr(root, name)
    for name in _MAPS:
        fields[name] = {**getattr(root, name), **getattr(own, name)}
    for name in ("source_namespace", "gateways", "stat_prefix"):
        fields[name] = getattr(own, name) or getattr(root, name)
    return own.model_copy(update=fields)


def _conflict(root: HTTPMatchRequest, own: HTTPMatchRequest) -> bool:
    texts: Iterable[tuple[StringMatch | None, StringMatch | None]] = [
        (root.uri, own.uri),
        (root.scheme, own.scheme),
        (root.method, own.method),
        (root.authority, own.authority),
        *((root.headers.get(key), text) for key, text in own.headers.items()),
        *((root.without_headers.get(key), text) for key, text in own.without_headers.items()),
        *((root.query_params.get(key), text) for key, text in own.query_params.items()),
    ]
    labels = any(root.source_labels.get(k, v) != v for k, v in own.source_labels.items())
    other_port = bool(root.port and own.port and root.port != own.port)
    other_place = bool(root.source_namespace and own.source_namespace != root.source_namespace)
    gateways = bool(root.gateways) and not set(own.gateways) <= set(root.gateways)
    case = root.ignore_uri_case != own.ignore_uri_case
    outside = any(_text_conflict(r, o) for r, o in texts)
    return outside or labels or other_port or other_place or gateways or case


def _text_conflict(root: StringMatch | None, own: StringMatch | None) -> bool:
    """Whether ``own`` is not plainly a part of ``root``; expressions are never compared."""
    if root is None or own is None:
        return False
    if root.regex and (own.regex or own.prefix or own.exact):
        return True
    if own.regex and (root.prefix or root.exact):
        return True
    if root.exact:
        return bool(own.prefix) or own.exact != root.exact
    if root.prefix and (own.prefix or own.exact):
        return not (own.prefix or own.exact or "").startswith(root.prefix)
    return True
