"""A DestinationRule's connectionPool, loadBalancer and outlierDetection as cluster fields.

Istio: pilot/pkg/networking/core/cluster_traffic_policy.go.
"""

from __future__ import annotations

from meshproof.model.istio import (
    ConnectionPool,
    HTTPSettings,
    LoadBalancer,
    OutlierDetection,
    TCPSettings,
    TrafficPolicy,
)
from meshproof.translate.proto import MAX, Json, seconds, typed

CONNECT_TIMEOUT = 10.0
"""Seconds; Istio's mesh-wide default."""
_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_LB = {"RANDOM": "RANDOM", "ROUND_ROBIN": "ROUND_ROBIN"}
_MINIMUM_RING = "1024"


def traffic_policy(policy: TrafficPolicy, idle: float) -> Json:
    """Every field of a cluster that a policy decides; ``idle`` seconds unless it says so."""
    return {
        **connection_pool(policy.connection_pool, idle),
        **_load_balancer(policy.load_balancer),
        **_outlier(policy.outlier_detection),
    }


def connection_pool(pool: ConnectionPool | None, idle: float) -> Json:
    """connect_timeout, circuit breakers, and HTTP/1.1 towards the upstream.

    0 and absent mean Istio's "no limit" in the breakers.
    """
    tcp = (pool and pool.tcp) or TCPSettings()
    http = (pool and pool.http) or HTTPSettings.model_construct()
    timeout = tcp.connect_timeout or CONNECT_TIMEOUT
    common: Json = {"idle_timeout": seconds(http.idle_timeout or tcp.idle_timeout or idle)}
    if http.max_requests_per_connection:
        common["max_requests_per_connection"] = http.max_requests_per_connection
    return {
        "connect_timeout": seconds(timeout),
        "circuit_breakers": {
            "thresholds": [
                {
                    "max_connections": tcp.max_connections or MAX,
                    "max_pending_requests": http.http1_max_pending_requests or MAX,
                    "max_requests": http.http2_max_requests or MAX,
                    "max_retries": http.max_retries or MAX,
                }
            ]
        },
        "typed_extension_protocol_options": {
            _OPTIONS: typed(
                _OPTIONS,
                common_http_protocol_options=common,
                explicit_http_config={"http_protocol_options": {}},
            )
        },
    }


def _load_balancer(lb: LoadBalancer | None) -> Json:
    """LEAST_REQUEST unless said otherwise; consistentHash is a ring of at least 1024 entries."""
    if lb is not None and lb.consistent_hash is not None:
        ring = {"minimum_ring_size": _MINIMUM_RING}
        return {"lb_policy": "RING_HASH", "ring_hash_lb_config": ring}
    name = _LB.get((lb and lb.simple) or "", "LEAST_REQUEST")
    fields: Json = {"lb_policy": name}
    if lb is not None and lb.warmup_duration_secs and name != "RANDOM":
        window = {"slow_start_window": seconds(lb.warmup_duration_secs)}
        fields[f"{name.lower()}_lb_config"] = {"slow_start_config": window}
    return fields


def _outlier(rule: OutlierDetection | None) -> Json:
    """Outlier detection by errors alone; panic is off unless minHealthPercent sets it."""
    panic = float((rule and rule.min_health_percent) or 0)
    fields: Json = {"common_lb_config": {"healthy_panic_threshold": {"value": panic}}}
    if rule is None:
        return fields
    outlier: Json = {"enforcing_success_rate": 0}
    for name, count in (
        ("consecutive_5xx", rule.consecutive_5xx_errors),
        ("consecutive_gateway_failure", rule.consecutive_gateway_errors),
    ):
        if count is not None:
            outlier[f"enforcing_{name}"] = 100 if count else 0
            if count:
                outlier[name] = count
    if rule.interval:
        outlier["interval"] = seconds(rule.interval)
    if rule.base_ejection_time:
        outlier["base_ejection_time"] = seconds(rule.base_ejection_time)
    if rule.max_ejection_percent:
        outlier["max_ejection_percent"] = rule.max_ejection_percent
    return {**fields, "outlier_detection": outlier}
