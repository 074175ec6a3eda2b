"""Texts of an AuthorizationPolicy as Envoy matchers: ``x``, ``x*``, ``*x``, ``*``, templates.

Istio: pilot/pkg/security/authz/matcher.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from meshproof.model.authorization_values import is_path_template
from meshproof.translate.proto import Json, extension

JWT = "envoy.filters.http.jwt_authn"
PAYLOAD = "payload"
"""Where jwt_authn leaves a token's claims, in its own metadata."""
ANY_TEXT: Json = {"safe_regex": {"regex": ".+"}}
_TEMPLATE = "envoy.path.match.uri_template.uri_template_matcher"
_TEMPLATE_TYPE = "envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig"


def quoted(value: str) -> str:
    """``value`` as a regular expression that means nothing else (Go's QuoteMeta)."""
    return re.sub(r"[\\.+*?()|\[\]{}^$]", r"\\\g<0>", value)


def text(value: str, prefix: str = "") -> Json:
    """A StringMatcher; ``prefix`` stands before what is written (``spiffe://``)."""
    if value == "*":
        return ANY_TEXT
    if value.startswith("*"):
        if prefix:
            return {"safe_regex": {"regex": f"{prefix}.*{quoted(value[1:])}"}}
        return {"suffix": value[1:]}
    if value.endswith("*"):
        return {"prefix": prefix + value[:-1]}
    return {"exact": prefix + value}


def header(name: str, value: str, *, ignore_case: bool = False) -> Json:
    """A HeaderMatcher; ``*`` is a header that is there."""
    if value == "*":
        return {"name": name, "present_match": True}
    matcher = text(value)
    if ignore_case:
        matcher["ignore_case"] = True
    return {"name": name, "string_match": matcher}


def path(value: str) -> Json:
    """A Permission: the path without the query; ``{*}`` and ``{**}`` are Envoy's ``*`` and
    ``**``."""
    if is_path_template(value):
        template = value.replace("{**}", "**").replace("{*}", "*")
        return {"uri_template": extension(_TEMPLATE, _TEMPLATE_TYPE, path_template=template)}
    return {"url_path": {"path": text(value)}}


def cidr(value: str) -> Json:
    network = ipaddress.ip_network(value, strict=False)
    return {"address_prefix": str(network.network_address), "prefix_len": network.prefixlen}


def claim(keys: Iterable[str], matcher: Json) -> Json:
    """A MetadataMatcher on one claim of the request's token."""
    return {
        "filter": JWT,
        "path": [{"key": PAYLOAD}, *({"key": key} for key in keys)],
        "value": {"string_match": matcher},
    }


def claim_among(keys: Iterable[str], values: Iterable[str]) -> Json:
    """The same for a claim that is a text or a list of texts."""
    one_of: list[Json] = [{"string_match": text(value)} for value in values]
    return claim_of(keys, one_of[0] if len(one_of) == 1 else _either(one_of))


def claim_of(keys: Iterable[str], value: Json) -> Json:
    """A ValueMatcher on a claim, or on one of the claim's list (Istio's
    MetadataListValueMatcherForJWTClaims)."""
    return {
        "filter": JWT,
        "path": [{"key": PAYLOAD}, *({"key": key} for key in keys)],
        "value": _either([value, {"list_match": {"one_of": value}}]),
    }


def _either(matchers: list[Json]) -> Json:
    return {"or_match": {"value_matchers": matchers}}
