"""EnvoyFilters as Istio's rate-limit task writes them, in pieces."""

from __future__ import annotations

HEAD = """\
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: f, namespace: default}
spec:
  workloadSelector: {labels: {app: productpage}}
  configPatches:
"""
TYPE = "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit"
BUCKET = "token_bucket: {max_tokens: 4, tokens_per_fill: 3, fill_interval: 60s}"
FILTER = f"""\
  - applyTo: HTTP_FILTER
    match:
      context: SIDECAR_INBOUND
      listener: {{filterChain: {{filter: {{name: envoy.filters.network.http_connection_manager}}}}}}
    patch:
      operation: INSERT_BEFORE
      value:
        name: envoy.filters.http.local_ratelimit
        typed_config:
          "@type": type.googleapis.com/udpa.type.v1.TypedStruct
          type_url: {TYPE}
          value:
            stat_prefix: limiter
            {BUCKET}
"""
BARE = FILTER.replace(f"            {BUCKET}\n", "")
ROUTES = f"""\
  - applyTo: HTTP_ROUTE
    match:
      context: SIDECAR_INBOUND
      routeConfiguration: {{vhost: {{name: inbound|http|9080, route: {{action: ANY}}}}}}
    patch:
      operation: MERGE
      value:
        typed_per_filter_config:
          envoy.filters.http.local_ratelimit:
            "@type": type.googleapis.com/udpa.type.v1.TypedStruct
            type_url: {TYPE}
            value: {{stat_prefix: limiter, {BUCKET}}}
"""
BY_ITS_TYPE = f"""\
  - applyTo: HTTP_FILTER
    match:
      context: GATEWAY
      listener: {{filterChain: {{filter: {{name: envoy.filters.network.http_connection_manager}}}}}}
    patch:
      operation: INSERT_BEFORE
      value:
        name: envoy.filters.http.local_ratelimit
        typed_config: {{"@type": {TYPE}, stat_prefix: limiter, {BUCKET}}}
"""
