"""``api_fields`` of EnvoyFilter (istio/api v1.29) and of Envoy's LocalRateLimit."""

from __future__ import annotations

from collections.abc import Mapping

_LOCAL_RATE_LIMIT = (
    "stat_prefix status token_bucket filter_enabled filter_enforced response_headers_to_add "
    "request_headers_to_add_when_not_enforced descriptors stage rate_limits vh_rate_limits "
    "local_rate_limit_per_downstream_connection local_cluster_rate_limit "
    "enable_x_ratelimit_headers always_consume_default_token_bucket "
    "rate_limited_as_resource_exhausted max_dynamic_descriptors"
)

FIELDS: Mapping[str, str] = {
    "envoy_filter.EnvoyFilter": "workloadSelector targetRefs configPatches priority",
    "envoy_filter.ConfigPatch": "applyTo match patch",
    "envoy_filter.Match": "context proxy listener routeConfiguration cluster waypoint",
    "envoy_filter.Listener": "portNumber portName filterChain listenerFilter name",
    "envoy_filter.FilterChain": (
        "name sni transportProtocol applicationProtocols filter destinationPort"
    ),
    "envoy_filter.NetworkFilter": "name subFilter",
    "envoy_filter.RouteConfiguration": "portNumber portName gateway vhost name",
    "envoy_filter.VirtualHost": "name domainName route",
    "envoy_filter.Route": "name action",
    "envoy_filter.Patch": "operation value filterClass",
    "envoy_filter_patches.GeneralEnvoyFilter": "workloadSelector targetRefs configPatches priority",
    "envoy_filter_patches.GeneralPatch": "applyTo match patch",
    "envoy_filter_patches.PatchMatch": (
        "context proxy listener routeConfiguration cluster waypoint"
    ),
    "envoy_filter_patches.ListenerMatch": ("portNumber portName filterChain listenerFilter name"),
    "envoy_filter_patches.PatchValue": "operation value filterClass",
    "envoy_filter_rate_limit.LocalRateLimit": _LOCAL_RATE_LIMIT,
    "envoy_filter_rate_limit.TypedConfig": f"@type type_url value {_LOCAL_RATE_LIMIT}",
    "envoy_filter_rate_limit.HeaderToAdd": "header append append_action keep_empty_value",
    "envoy_filter_rate_limit.Header": "key value raw_value",
}

VALUES: Mapping[str, str] = {
    "envoy_filter.ConfigPatch.applyTo": (
        "LISTENER FILTER_CHAIN NETWORK_FILTER HTTP_FILTER ROUTE_CONFIGURATION VIRTUAL_HOST "
        "HTTP_ROUTE CLUSTER EXTENSION_CONFIG BOOTSTRAP LISTENER_FILTER"
    ),
    "envoy_filter_patches.GeneralPatch.applyTo": (
        "LISTENER FILTER_CHAIN NETWORK_FILTER HTTP_FILTER ROUTE_CONFIGURATION VIRTUAL_HOST "
        "HTTP_ROUTE CLUSTER EXTENSION_CONFIG BOOTSTRAP LISTENER_FILTER"
    ),
    "envoy_filter_patches.PatchMatch.context": (
        "ANY SIDECAR_INBOUND SIDECAR_OUTBOUND GATEWAY WAYPOINT"
    ),
    "envoy_filter_patches.PatchValue.filterClass": "UNSPECIFIED AUTHN AUTHZ STATS",
    "envoy_filter.Match.context": "ANY SIDECAR_INBOUND SIDECAR_OUTBOUND GATEWAY WAYPOINT",
    "envoy_filter.Route.action": "ANY ROUTE REDIRECT DIRECT_RESPONSE",
    "envoy_filter.Patch.operation": (
        "MERGE ADD REMOVE INSERT_BEFORE INSERT_AFTER INSERT_FIRST REPLACE"
    ),
}
