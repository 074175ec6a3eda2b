"""HTTPMatchRequest as RouteMatch (Istio: TranslateRouteMatch in core/route/route.go)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from meshproof.model.virtual_service_route import HTTPMatchRequest, StringMatch, claims_of
from meshproof.translate.authz_matchers import claim_value_matcher
from meshproof.translate.proto import Json

_CONDITIONS = {"headers", "query_parameters", "dynamic_metadata"}
_ANY: Json = {"safe_regex": {"regex": ".*"}}


def build_route_match(match: HTTPMatchRequest | None, *, gateway: bool = False) -> Json:
    """All fields must match; no match is the prefix ``/``.

    ``gateway``: a prefix matches whole path segments, as in the Gateway API.
    """
    if match is None:
        return {"prefix": "/"}
    fields = _path(match.uri)
    if gateway and fields.get("prefix", "/") != "/":
        fields = {"path_separated_prefix": fields["prefix"].removesuffix("/")}
    if match.ignore_uri_case:
        fields["case_sensitive"] = False
    headers = list(_headers(match))
    if headers:
        fields["headers"] = headers
    parameters = [_parameter(name, m) for name, m in sorted(match.query_params.items())]
    if parameters:
        fields["query_parameters"] = parameters
    if claims := list(_claims(match)):
        fields["dynamic_metadata"] = claims
    return fields


def is_catch_all(match: Json) -> bool:
    """Whether no later route of the virtual host can be reached."""
    every_path = match.get("prefix") == "/" or match.get("path_separated_prefix") == "/"
    every_path = every_path or match.get("safe_regex", {}).get("regex") == ".*"
    return every_path and not _CONDITIONS & match.keys()


def describe_path(match: Json) -> str:
    """The path in a span's name: a prefix as ``/p*``, a path or an expression as written."""
    if "path" in match:
        return str(match["path"])
    if "safe_regex" in match:
        return str(match["safe_regex"]["regex"])
    if "path_separated_prefix" in match:
        return f"{match['path_separated_prefix']}/*"
    return f"{match['prefix']}*"


def _path(uri: StringMatch | None) -> Json:
    if uri is None:
        return {"prefix": "/"}
    if uri.exact is not None:
        return {"path": uri.exact}
    if uri.regex is not None:
        return {"safe_regex": {"regex": uri.regex}} if uri.regex else {"path": ""}
    return {"prefix": uri.prefix or "/"}


def _claims(match: HTTPMatchRequest) -> Iterator[Json]:
    """Claims of the request's token in jwt_authn's metadata: a string, or an item of a list. Only
    a gateway has verified tokens before it chooses a route."""
    for names, inverted in ((match.headers, False), (match.without_headers, True)):
        for name, value in sorted(names.items()):
            if keys := claims_of(name):
                value_match = {
                    "string_match": _ANY if _is_present(value) else build_string_match(value)
                }
                yield claim_value_matcher(keys, value_match) | (
                    {"invert": True} if inverted else {}
                )


def _headers(match: HTTPMatchRequest) -> Iterator[Json]:
    """Headers by name, then withoutHeaders, then the pseudo headers."""
    for name, value in _without_claims(match.headers):
        yield _header(name, value)
    for name, value in _without_claims(match.without_headers):
        inverted = _header(name, value) | {"invert_match": True}
        if "string_match" in inverted:
            inverted["treat_missing_header_as_empty"] = True
        yield inverted
    for name, pseudo in (
        (":method", match.method),
        (":authority", match.authority),
        (":scheme", match.scheme),
    ):
        if pseudo is not None:
            yield _header(name, pseudo)


def _without_claims(names: Mapping[str, StringMatch]) -> list[tuple[str, StringMatch]]:
    return [(name, value) for name, value in sorted(names.items()) if not claims_of(name)]


def _is_present(match: StringMatch) -> bool:
    empty = match.exact is None and match.prefix is None and match.regex is None
    return empty or match.regex == "*"


def _header(name: str, match: StringMatch) -> Json:
    if _is_present(match):
        return {"name": name, "present_match": True}
    return {"name": name, "string_match": build_string_match(match)}


def _parameter(name: str, match: StringMatch) -> Json:
    if _is_present(match):
        return {"name": name, "present_match": True}
    return {"name": name, "string_match": build_string_match(match)}


def build_string_match(match: StringMatch) -> Json:
    """An empty prefix matches everything, an empty expression only ``""``; Envoy rejects both as
    written."""
    if match.exact is not None or match.regex == "":
        return {"exact": match.exact or ""}
    if match.prefix:
        return {"prefix": match.prefix}
    return {"safe_regex": {"regex": match.regex if match.regex is not None else ".*"}}
