"""Converts a rule of an HTTPRoute to routes of a VirtualService, one for each match.

Istio: convertHTTPRoute in pilot/pkg/config/kube/gateway/conversion.go. A backend that does not
exist stays a destination without a cluster: such a route answers 500.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from meshproof.istio_names import service_host
from meshproof.model.field_types import PortSelector
from meshproof.model.http_route import (
    HTTPBackendRef,
    HTTPRouteMatch,
    HTTPRouteRetry,
    HTTPRouteRule,
    NamedMatch,
)
from meshproof.model.http_route_filters import (
    HTTPCORSFilter,
    HTTPHeader,
    HTTPHeaderFilter,
    HTTPRequestMirrorFilter,
    HTTPRequestRedirectFilter,
    HTTPRouteFilter,
    HTTPURLRewriteFilter,
)
from meshproof.model.http_route_references import HOSTNAME, SERVICE, BackendObjectReference
from meshproof.model.virtual_service import HTTPRoute
from meshproof.model.virtual_service_route import (
    CorsPolicy,
    Destination,
    HeaderOperations,
    Headers,
    HTTPDirectResponse,
    HTTPMatchRequest,
    HTTPMirrorPolicy,
    HTTPRedirect,
    HTTPRetry,
    HTTPRewrite,
    HTTPRouteDestination,
    Percent,
    RegexRewrite,
    StringMatch,
)
from meshproof.translate.authz_matchers import quote_regex
from meshproof.translate.gateway_api_extensions import UNKNOWN_SERVICE, PrefixRedirect

RETRY_ON = ("connect-failure", "refused-stream", "unavailable", "cancelled")
_ATTEMPTS = 2
_ANY_ORIGIN = r"^[a-zA-Z][a-zA-Z0-9+.-]*://[^/\s?#]+$"
_KINDS = {"Exact": "exact", "PathPrefix": "prefix", "RegularExpression": "regex"}


def convert_rule(
    rule: HTTPRouteRule, name: str, namespace: str, port: int | None
) -> Iterator[HTTPRoute]:
    """``namespace`` is the HTTPRoute's; ``port`` its parent's, if that has one."""
    fields: dict[str, Any] = {"name": name, "headers": _convert_headers(rule.filters)}
    fields |= _convert_timeouts(rule)
    for entry in rule.filters:
        if entry.request_redirect is not None:
            fields["redirect"] = _convert_redirect(entry.request_redirect)
        elif entry.url_rewrite is not None:
            fields["rewrite"] = _convert_rewrite(entry.url_rewrite)
        elif entry.cors is not None:
            fields["cors_policy"] = _convert_cors(entry.cors)
    fields["mirrors"] = [
        _convert_mirror(f.request_mirror, namespace) for f in rule.filters if f.request_mirror
    ]
    if "redirect" not in fields:
        fields |= _convert_backends(rule.backend_refs, namespace)
    for match in rule.matches or [HTTPRouteMatch()]:
        yield HTTPRoute.model_construct(**fields, match=[_convert_match(match, port)])


def _convert_match(match: HTTPRouteMatch, port: int | None) -> HTTPMatchRequest:
    path = match.path.value
    if match.path.type == "PathPrefix" and path != "/":
        path = path.removesuffix("/")
    return HTTPMatchRequest.model_construct(
        uri=_string_match(match.path.type, path),
        method=None if match.method is None else _string_match("Exact", match.method),
        headers=_first_by_name(match.headers),
        query_params=_first_by_name(match.query_params),
        port=port,
    )


def _first_by_name(entries: Iterable[NamedMatch]) -> dict[str, StringMatch]:
    matches: dict[str, StringMatch] = {}
    for entry in entries:
        matches.setdefault(entry.name, _string_match(entry.type, entry.value))
    return matches


def _string_match(kind: str, text: str) -> StringMatch:
    return StringMatch.model_validate({_KINDS[kind]: text})


def _convert_headers(filters: Sequence[HTTPRouteFilter]) -> Headers:
    request = next((f.request_header_modifier for f in filters if f.request_header_modifier), None)
    response = next(
        (f.response_header_modifier for f in filters if f.response_header_modifier), None
    )
    return Headers.model_construct(
        request=_convert_operations(request), response=_convert_operations(response)
    )


def _convert_operations(rule: HTTPHeaderFilter | None) -> HeaderOperations:
    if rule is None:
        return HeaderOperations()
    return HeaderOperations.model_construct(
        set=_values(rule.set), add=_values(rule.add), remove=list(rule.remove)
    )


def _values(headers: Iterable[HTTPHeader]) -> dict[str, str]:
    """By lower-case name; of equal names the first wins."""
    values: dict[str, str] = {}
    for header in headers:
        values.setdefault(header.name.lower(), header.value)
    return values


def _convert_timeouts(rule: HTTPRouteRule) -> dict[str, Any]:
    """``backendRequest`` limits each try if there are retries, else the whole request."""
    fields: dict[str, Any] = {}
    per_try = rule.timeouts.backend_request if rule.timeouts else None
    if rule.timeouts and rule.timeouts.request:
        fields["timeout"] = rule.timeouts.request
    if rule.retry is not None:
        fields["retries"] = _convert_retry(rule.retry, per_try or None)
    elif per_try:
        fields["timeout"] = per_try
    return fields


def _convert_retry(rule: HTTPRouteRetry, per_try: float | None) -> HTTPRetry:
    attempts = _ATTEMPTS if rule.attempts is None else rule.attempts
    on = ",".join([*RETRY_ON, *(str(code) for code in rule.codes)])
    return HTTPRetry.model_construct(
        attempts=attempts, retry_on=on, backoff=rule.backoff, per_try_timeout=per_try
    )


def _convert_redirect(rule: HTTPRequestRedirectFilter) -> HTTPRedirect:
    """Without a port the request's own; if the scheme changes, the default port of the new one."""
    fields: dict[str, Any] = {
        "authority": rule.hostname,
        "scheme": rule.scheme,
        "port": rule.port,
        "redirect_code": rule.status_code,
    }
    if rule.port is None and rule.scheme is None:
        fields["derive_port"] = "FROM_REQUEST_PORT"
    path = rule.path
    if path is not None and path.replace_prefix_match is not None:
        return PrefixRedirect.model_construct(**fields, prefix=path.replace_prefix_match)
    return HTTPRedirect.model_construct(**fields, uri=path.replace_full_path if path else None)


def _convert_rewrite(rule: HTTPURLRewriteFilter) -> HTTPRewrite:
    fields: dict[str, Any] = {"authority": rule.hostname}
    path = rule.path
    if path is not None and path.replace_prefix_match is not None:
        fields["uri"] = path.replace_prefix_match.removesuffix("/") or "/"
    elif path is not None and path.replace_full_path is not None:
        fields["uri_regex_rewrite"] = RegexRewrite.model_construct(
            match="/.*", rewrite=path.replace_full_path
        )
    return HTTPRewrite.model_construct(**fields)


def _convert_cors(rule: HTTPCORSFilter) -> CorsPolicy:
    """Unlike with a VirtualService, a preflight that does not match never reaches the backend."""
    return CorsPolicy.model_construct(
        allow_origins=[_convert_origin(o) for o in rule.allow_origins if o],
        allow_credentials=True if rule.allow_credentials else None,
        allow_methods=list(rule.allow_methods),
        allow_headers=list(rule.allow_headers),
        expose_headers=list(rule.expose_headers),
        max_age=float(rule.max_age),
        unmatched_preflights="IGNORE",
    )


def _convert_origin(text: str) -> StringMatch:
    """``*`` is any well-formed origin; a ``*`` at the end makes a prefix, elsewhere any text."""
    if text == "*":
        return _string_match("RegularExpression", _ANY_ORIGIN)
    head, star, tail = text.partition("*")
    if not star:
        return _string_match("Exact", text)
    if not tail:
        return _string_match("PathPrefix", head)
    return _string_match(
        "RegularExpression", f"^{'.*'.join(quote_regex(t) for t in text.split('*'))}$"
    )


def _convert_mirror(rule: HTTPRequestMirrorFilter, namespace: str) -> HTTPMirrorPolicy:
    percentage = None
    if rule.fraction is not None:
        value = 100.0 * rule.fraction.numerator / rule.fraction.denominator
        percentage = Percent.model_construct(value=value)
    elif rule.percent is not None:
        percentage = Percent.model_construct(value=float(rule.percent))
    return HTTPMirrorPolicy.model_construct(
        destination=convert_destination(rule.backend_ref, namespace), percentage=percentage
    )


def _convert_backends(backends: Sequence[HTTPBackendRef], namespace: str) -> dict[str, Any]:
    """Backends with weight 0 are left out; a rule without others answers 500."""
    weighted = [b for b in backends if b.weight > 0]
    if not weighted:
        return {"direct_response": HTTPDirectResponse.model_construct(status=500)}
    return {
        "route": [
            HTTPRouteDestination.model_construct(
                destination=convert_destination(b, namespace),
                weight=b.weight,
                headers=_convert_headers(b.filters),
            )
            for b in weighted
        ]
    }


def convert_destination(ref: BackendObjectReference, namespace: str) -> Destination:
    """The host and port of a backend, whether it exists or not."""
    host = UNKNOWN_SERVICE
    if ref.group_kind == SERVICE:
        host = service_host(ref.name, ref.namespace or namespace)
    elif ref.group_kind == HOSTNAME:
        host = ref.name
    port = None if ref.port is None else PortSelector.model_construct(number=ref.port)
    return Destination.model_construct(host=host, subset=None, port=port)
