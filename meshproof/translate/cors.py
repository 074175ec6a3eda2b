"""A corsPolicy as the cors filter's per-route configuration (Istio: TranslateCORSPolicy).

Envoy answers a matching preflight with 200. It forwards one that does not match, unless
unmatchedPreflights is IGNORE.
"""

from __future__ import annotations

from meshproof.model.virtual_service_route import CorsPolicy
from meshproof.translate.proto import Json, build_any
from meshproof.translate.route_match import build_string_match

FILTER = "envoy.filters.http.cors"
TYPE = "envoy.extensions.filters.http.cors.v3.Cors"
_POLICY = "envoy.extensions.filters.http.cors.v3.CorsPolicy"


def build_cors(rule: CorsPolicy | None) -> Json:
    """The entry of a route's ``typed_per_filter_config``; empty without a policy."""
    if rule is None:
        return {}
    origins = [build_string_match(o) for o in rule.allow_origins]
    origins = origins or [{"exact": o} for o in rule.allow_origin]
    fields: Json = {
        "allow_origin_string_match": origins,
        "filter_enabled": {"default_value": {"numerator": 100}},
        "forward_not_matching_preflights": rule.unmatched_preflights != "IGNORE",
    }
    for name, values in (
        ("allow_methods", rule.allow_methods),
        ("allow_headers", rule.allow_headers),
        ("expose_headers", rule.expose_headers),
    ):
        if values:
            fields[name] = ",".join(values)
    if rule.max_age is not None:
        fields["max_age"] = str(int(rule.max_age))
    if rule.allow_credentials is not None:
        fields["allow_credentials"] = rule.allow_credentials
    return {FILTER: build_any(_POLICY, **fields)}
