"""Route actions of a VirtualService: forward or redirect (Istio: core/route/route.go)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from meshproof.istio_names import outbound_cluster
from meshproof.model.virtual_service import HTTPRoute
from meshproof.model.virtual_service_route import (
    Destination,
    HTTPRedirect,
    HTTPRouteDestination,
)
from meshproof.translate.gateway_api_extensions import UNKNOWN_SERVICE, PrefixRedirect
from meshproof.translate.hashes import hash_policies
from meshproof.translate.headers import HeaderChanges, merge_header_fields, translate_headers
from meshproof.translate.host_names import fqdn
from meshproof.translate.proto import Json, fractional_percent, seconds
from meshproof.translate.proxy_view import ProxyView
from meshproof.translate.retries import build_retry_policy

_REDIRECTS = {
    301: "MOVED_PERMANENTLY",
    302: "FOUND",
    303: "SEE_OTHER",
    307: "TEMPORARY_REDIRECT",
    308: "PERMANENT_REDIRECT",
}
_DEFAULT_PORT = {"http": 80, "https": 443}


def build_route(view: ProxyView, http: HTTPRoute, namespace: str, port: int) -> Json:
    """The route to one or more destinations, with the header changes of rule and destination.

    ``namespace`` is the rule's, ``port`` the one that the request is for.
    """
    rule = translate_headers(http.headers)
    only = http.route[0] if len(http.route) == 1 else None
    changes = translate_headers(only.headers) if only else HeaderChanges({})
    authority = (http.rewrite and http.rewrite.authority) or rule.authority or changes.authority
    hashes = list(_hash_policies(view, http.route, namespace))
    action: Json = {
        **_build_target(view, http.route, namespace, port),
        "timeout": seconds(http.timeout or 0.0),
        **_build_rewrite(http),
    }
    retries = http.retries or view.mesh.default_http_retry_policy
    retry = build_retry_policy(retries, hashed=only is not None and bool(hashes))
    for name, value in (
        ("host_rewrite_literal", authority),
        ("retry_policy", retry),
        ("hash_policy", hashes),
        ("request_mirror_policies", list(_build_mirrors(view, http, namespace, port))),
    ):
        if value:
            action[name] = value
    return {"route": action, **merge_header_fields(rule.fields, changes.fields)}


def apply_gateway_semantics(route: Json, match: Json) -> Json:
    """A route with the semantics of the Gateway API: a backend that does not exist answers 500,
    and a prefix that is replaced by ``/`` takes the following ``/`` with it."""
    action: Json = {
        **route["route"],
        "cluster_not_found_response_code": "INTERNAL_SERVER_ERROR",
    }
    if action.get("prefix_rewrite") == "/":
        del action["prefix_rewrite"]
        prefix = re.escape(match.get("path_separated_prefix", ""))
        action["regex_rewrite"] = {
            "pattern": {"regex": f"^{prefix}(/?)(.*)"},
            "substitution": r"/\2",
        }
    return {**route, "route": action}


def build_default_action(view: ProxyView, host: str, port: int) -> Json:
    """The route of a service without a VirtualService. Its retries avoid the previous host even
    under consistentHash, as in Istio."""
    hashes = list(hash_policies(view, host, "", port))
    retry = build_retry_policy(view.mesh.default_http_retry_policy, hashed=False)
    action: Json = {"cluster": outbound_cluster(port, host), "timeout": "0s"}
    if retry:
        action["retry_policy"] = retry
    if hashes:
        action["hash_policy"] = hashes
    return {"route": action}


def build_redirect(rule: HTTPRedirect, port: int, *, secure: bool) -> Json:
    """The redirect. The query is kept; the default port of a scheme is not part of Location.

    ``secure``: the request came over TLS.
    """
    action: Json = {"response_code": _REDIRECTS[rule.redirect_code or 301]}
    for name, value in (
        ("host_redirect", rule.authority),
        ("path_redirect", rule.uri),
        ("scheme_redirect", rule.scheme),
    ):
        if value:
            action[name] = value
    if isinstance(rule, PrefixRedirect):
        action["prefix_rewrite"] = rule.prefix
    number = port if rule.derive_port == "FROM_REQUEST_PORT" else rule.port
    if number and number != _DEFAULT_PORT.get(rule.scheme or ("https" if secure else "http")):
        action["port_redirect"] = number
    return {"redirect": action}


def destination_cluster(view: ProxyView, to: Destination, namespace: str, port: int) -> str:
    """The cluster of a destination among all services, by any of their ports: for gateways and
    for TCP and TLS routes."""
    if to.host == UNKNOWN_SERVICE:
        return UNKNOWN_SERVICE
    number = _destination_port(view, to, namespace, port)
    host = view.resolve_alias(fqdn(to.host, namespace))
    return outbound_cluster(number, host, to.subset or "")


def _destination_port(view: ProxyView, to: Destination, namespace: str, port: int) -> int:
    """The port that a destination writes, else the host's only one, else the request's."""
    if to.port is not None:
        return to.port.number
    host = view.visible_hosts.get(fqdn(to.host, namespace))
    return host.ports[0].port if host is not None and len(host.ports) == 1 else port


def _http_cluster(view: ProxyView, to: Destination, namespace: str, port: int) -> str:
    """The cluster of an HTTP route's destination. It need not exist: then Envoy answers 503 NC.

    For a sidecar Istio knows only the services that have the listener's port
    (buildSidecarOutboundVirtualHosts in core/httproute.go, GetDestinationCluster in
    core/route/route.go), so a destination without a port means that port.
    """
    if view.proxy.kind == "gateway" or to.host == UNKNOWN_SERVICE:
        return destination_cluster(view, to, namespace, port)
    host = view.resolve_alias(fqdn(to.host, namespace))
    return outbound_cluster(to.port.number if to.port else port, host, to.subset or "")


def _build_target(
    view: ProxyView, routes: list[HTTPRouteDestination], namespace: str, port: int
) -> Json:
    """A single destination gets every call, whatever its weight; of several, those with weight 0
    are left out."""
    if len(routes) == 1:
        return {"cluster": _http_cluster(view, routes[0].destination, namespace, port)}
    clusters = []
    for entry in routes:
        if entry.weight == 0:
            continue
        changes = translate_headers(entry.headers)
        weighted: Json = {
            "name": _http_cluster(view, entry.destination, namespace, port),
            "weight": entry.weight,
            **changes.fields,
        }
        if changes.authority:
            weighted["host_rewrite_literal"] = changes.authority
        clusters.append(weighted)
    return {"weighted_clusters": {"clusters": clusters}}


def _build_rewrite(http: HTTPRoute) -> Json:
    rule = http.rewrite
    if rule is None:
        return {}
    if rule.uri_regex_rewrite is not None:
        regex = rule.uri_regex_rewrite
        return {"regex_rewrite": {"pattern": {"regex": regex.match}, "substitution": regex.rewrite}}
    return {"prefix_rewrite": rule.uri} if rule.uri else {}


def _build_mirrors(view: ProxyView, http: HTTPRoute, namespace: str, port: int) -> Iterator[Json]:
    """Without a percentage 100 %, with an explicit 0 none."""
    for to, percentage in http.all_mirrors():
        percent = 100.0 if percentage is None else percentage.value
        if percent > 0:
            yield {
                "cluster": _http_cluster(view, to, namespace, port),
                "runtime_fraction": {"default_value": fractional_percent(percent)},
                "trace_sampled": False,
                "disable_shadow_host_suffix_append": True,
            }


def _hash_policies(
    view: ProxyView, routes: list[HTTPRouteDestination], namespace: str
) -> Iterator[Json]:
    """Of every destination that gets calls."""
    for entry in routes:
        if entry.weight or len(routes) == 1:
            to = entry.destination
            port = to.port.number if to.port else None
            yield from hash_policies(view, fqdn(to.host, namespace), to.subset or "", port)
