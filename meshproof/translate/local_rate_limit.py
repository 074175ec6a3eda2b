"""Local rate limits: Envoy's token bucket on a sidecar's inbound listeners, or on a gateway.

Istio inserts the filter with its bucket into the listener (EnvoyFilter). Here every such listener
has the filter without a bucket, before all others as INSERT_BEFORE puts it, and the bucket is part
of the routes: no listener is replaced, and a new limit applies to open connections. A bucket
belongs to a port; in Istio each filter chain of the port (mutual TLS, plain) has its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from meshproof.model.envoy_filter import Context, EnvoyFilter
from meshproof.model.envoy_filter_rate_limit import (
    FILTER,
    LOCAL_RATE_LIMIT,
    HeaderToAdd,
    LocalRateLimit,
    RuntimeFraction,
)
from meshproof.translate.proto import Json, build_any, build_route_filter, seconds
from meshproof.translate.world import Named

_PREFIX = "http_local_rate_limiter"


@dataclass(frozen=True, slots=True)
class RateLimits:
    """Of one proxy: the filter's own bucket, if any, and those of ``inbound|http|PORT``."""

    everywhere: LocalRateLimit | None = None
    routes: Mapping[str, LocalRateLimit] = field(default_factory=dict)

    def is_active(self) -> bool:
        """Whether there is any limit."""
        return self.everywhere is not None or bool(self.routes)

    def apply_to_routes(self, table: Json) -> Json:
        """``table`` with the limits of its virtual hosts."""
        if not self.routes:
            return table
        hosts = [self._apply_to_host(host) for host in table["virtual_hosts"]]
        return {**table, "virtual_hosts": hosts}

    def _apply_to_host(self, host: Json) -> Json:
        limit = self.routes.get(host["name"])
        return {**host, "typed_per_filter_config": build_route_config(limit)} if limit else host


def build_http_filters() -> list[Json]:
    """The filter without a bucket."""
    return [build_route_filter(FILTER, LOCAL_RATE_LIMIT, stat_prefix=_PREFIX)]


def collect_limits(rules: Iterable[Named[EnvoyFilter]], context: Context) -> RateLimits:
    """The limits of a proxy. At most one rule applies (``admission.rate_limit_conflicts``)."""
    everywhere: LocalRateLimit | None = None
    routes: dict[str, LocalRateLimit] = {}
    for rule in rules:
        for patch in rule.spec.config_patches:
            if patch.match.context != context:
                continue
            if patch.routes:
                routes[patch.routes] = patch.limit
            elif patch.limit.token_bucket is not None:
                everywhere = patch.limit
    return RateLimits(everywhere, routes)


def build_route_config(limit: LocalRateLimit | None) -> Json:
    """``typed_per_filter_config`` of routes."""
    if limit is None or limit.token_bucket is None:
        return {}
    bucket = limit.token_bucket
    fields: Json = {
        "stat_prefix": limit.stat_prefix,
        "token_bucket": {
            "max_tokens": bucket.max_tokens,
            "tokens_per_fill": bucket.tokens_per_fill,
            "fill_interval": seconds(bucket.fill_interval),
        },
        "response_headers_to_add": [_build_header(h) for h in limit.response_headers_to_add],
        "local_rate_limit_per_downstream_connection": (
            limit.local_rate_limit_per_downstream_connection
        ),
    }
    for name, share in (
        ("filter_enabled", limit.filter_enabled),
        ("filter_enforced", limit.filter_enforced),
    ):
        if share is not None:
            fields[name] = _build_fraction(share)
    return {FILTER: build_any(LOCAL_RATE_LIMIT, **fields)}


def _build_fraction(share: RuntimeFraction) -> Json:
    value = share.default_value
    return {
        "runtime_key": share.runtime_key,
        "default_value": {"numerator": value.numerator, "denominator": value.denominator},
    }


def _build_header(addition: HeaderToAdd) -> Json:
    action = "APPEND_IF_EXISTS_OR_ADD" if addition.append else "OVERWRITE_IF_EXISTS_OR_ADD"
    return {
        "header": {"key": addition.header.key, "value": addition.header.value},
        "append_action": action,
    }
