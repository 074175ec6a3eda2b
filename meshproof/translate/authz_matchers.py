"""Values of an AuthorizationPolicy as Envoy matchers: ``x``, ``x*``, ``*x``, ``*``, templates.

Istio: pilot/pkg/security/authz/matcher.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from meshproof.model.authorization_values import is_path_template
from meshproof.translate.proto import Json, build_extension

JWT = "envoy.filters.http.jwt_authn"
PAYLOAD = "payload"
"""The key of a token's claims in jwt_authn's dynamic metadata."""
ANY_TEXT: Json = {"safe_regex": {"regex": ".+"}}
_TEMPLATE = "envoy.path.match.uri_template.uri_template_matcher"
_TEMPLATE_TYPE = "envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig"


def quote_regex(value: str) -> str:
    """A regular expression that matches ``value`` literally (Go's QuoteMeta)."""
    return re.sub(r"[\\.+*?()|\[\]{}^$]", r"\\\g<0>", value)


def string_matcher(value: str, prefix: str = "") -> Json:
    """A StringMatcher; ``prefix`` (``spiffe://``) is put before the written value."""
    if value == "*":
        return ANY_TEXT
    if value.startswith("*"):
        if prefix:
            return {"safe_regex": {"regex": f"{prefix}.*{quote_regex(value[1:])}"}}
        return {"suffix": value[1:]}
    if value.endswith("*"):
        return {"prefix": prefix + value[:-1]}
    return {"exact": prefix + value}


def header_matcher(name: str, value: str, *, ignore_case: bool = False) -> Json:
    """A HeaderMatcher; ``*`` matches any value of a present header."""
    if value == "*":
        return {"name": name, "present_match": True}
    matcher = string_matcher(value)
    if ignore_case:
        matcher["ignore_case"] = True
    return {"name": name, "string_match": matcher}


def path_permission(value: str) -> Json:
    """A Permission on the path without the query; ``{*}`` and ``{**}`` are ``*`` and ``**`` in
    Envoy's template."""
    if is_path_template(value):
        template = value.replace("{**}", "**").replace("{*}", "*")
        return {"uri_template": build_extension(_TEMPLATE, _TEMPLATE_TYPE, path_template=template)}
    return {"url_path": {"path": string_matcher(value)}}


def cidr_range(value: str) -> Json:
    network = ipaddress.ip_network(value, strict=False)
    return {"address_prefix": str(network.network_address), "prefix_len": network.prefixlen}


def claim_matcher(keys: Iterable[str], matcher: Json) -> Json:
    """A MetadataMatcher on one claim of the request's token."""
    return {
        "filter": JWT,
        "path": [{"key": PAYLOAD}, *({"key": key} for key in keys)],
        "value": {"string_match": matcher},
    }


def claim_list_matcher(keys: Iterable[str], values: Iterable[str]) -> Json:
    """A MetadataMatcher on a claim that is a string or a list of strings."""
    one_of: list[Json] = [{"string_match": string_matcher(value)} for value in values]
    return claim_value_matcher(keys, one_of[0] if len(one_of) == 1 else _any_value(one_of))


def claim_value_matcher(keys: Iterable[str], value: Json) -> Json:
    """A MetadataMatcher on a claim, or on one item of a claim that is a list (Istio's
    MetadataListValueMatcherForJWTClaims)."""
    return {
        "filter": JWT,
        "path": [{"key": PAYLOAD}, *({"key": key} for key in keys)],
        "value": _any_value([value, {"list_match": {"one_of": value}}]),
    }


def _any_value(matchers: list[Json]) -> Json:
    return {"or_match": {"value_matchers": matchers}}
