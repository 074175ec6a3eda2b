"""Traffic policies: connectionPool, loadBalancer and outlierDetection as cluster fields.

Istio: pilot/pkg/networking/core/cluster_traffic_policy.go.
"""

from __future__ import annotations

from meshproof.model.destination_rule import (
    ConnectionPool,
    ConsistentHash,
    HTTPSettings,
    LoadBalancer,
    OutlierDetection,
    RetryBudget,
    TcpKeepalive,
    TCPSettings,
    TrafficPolicy,
)
from meshproof.model.mesh_config import NO_MESH_CONFIG, MeshConfig
from meshproof.translate.proto import MAX, Json, build_any, seconds

CONNECT_TIMEOUT = 10.0
"""Seconds; Istio's mesh-wide default."""
_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_LB = {"RANDOM": "RANDOM", "ROUND_ROBIN": "ROUND_ROBIN", "PASSTHROUGH": "RANDOM"}
"""PASSTHROUGH leaves the choice to kube-proxy, which picks a replica at random."""
_MINIMUM_RING = 1024
_BUDGET = 20.0
_MINIMUM_RETRIES = 3


def build_traffic_policy(
    policy: TrafficPolicy,
    idle: float,
    *,
    h2: bool | None = False,
    mesh: MeshConfig = NO_MESH_CONFIG,
) -> Json:
    """Every field of a cluster that a policy decides. ``idle`` is the default idle timeout in
    seconds, ``mesh`` has what the policy leaves open; ``h2`` as ``ServicePort.h2``."""
    pool = build_connection_pool(policy.connection_pool, idle, h2=h2, mesh=mesh)
    if policy.retry_budget is not None:
        (threshold,) = pool["circuit_breakers"]["thresholds"]
        threshold["retry_budget"] = _retry_budget(policy.retry_budget)
    return {
        **pool,
        **_load_balancer(policy.load_balancer),
        **_outlier_detection(policy.outlier_detection),
    }


def build_connection_pool(
    pool: ConnectionPool | None,
    idle: float,
    *,
    h2: bool | None = False,
    inbound: bool = False,
    mesh: MeshConfig = NO_MESH_CONFIG,
) -> Json:
    """connect_timeout, keepalive, circuit breakers and the upstream protocol.

    ``h2`` as ``ServicePort.h2``. A policy's h2UpgradePolicy applies to clients, not to
    ``inbound`` clusters; its useClientProtocol applies to both. A circuit
    breaker of 0 or none is Istio's "no limit".
    """
    tcp = (pool and pool.tcp) or TCPSettings()
    http = (pool and pool.http) or HTTPSettings.model_construct()
    connect_timeout = tcp.connect_timeout or mesh.connect_timeout or CONNECT_TIMEOUT
    fields: Json = {"connect_timeout": seconds(connect_timeout)}
    keepalives = [rule for rule in (mesh.tcp_keepalive, tcp.tcp_keepalive) if rule is not None]
    if keepalives:
        merged = {name: value for rule in keepalives for name, value in _keepalive(rule).items()}
        fields["upstream_connection_options"] = {"tcp_keepalive": merged}
    return fields | {
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
            _OPTIONS: build_any(
                _OPTIONS,
                common_http_protocol_options=_common_options(tcp, http, idle),
                **_protocol(http, h2=h2, upgraded=not inbound and _upgrades(http, mesh, h2=h2)),
            )
        },
    }


def _retry_budget(rule: RetryBudget) -> Json:
    """Envoy uses it instead of max_retries; by default 20 % and 3."""
    return {
        "budget_percent": {"value": _BUDGET if rule.percent is None else rule.percent},
        "min_retry_concurrency": rule.min_retry_concurrency or _MINIMUM_RETRIES,
    }


def _common_options(tcp: TCPSettings, http: HTTPSettings, idle: float) -> Json:
    common: Json = {"idle_timeout": seconds(http.idle_timeout or tcp.idle_timeout or idle)}
    if http.max_requests_per_connection:
        common["max_requests_per_connection"] = http.max_requests_per_connection
    if tcp.max_connection_duration:
        common["max_connection_duration"] = seconds(tcp.max_connection_duration)
    return common


def _upgrades(http: HTTPSettings, mesh: MeshConfig, *, h2: bool | None) -> bool:
    """Whether HTTP/1.1 becomes HTTP/2 by h2UpgradePolicy. The mesh's own is for ports whose
    protocol is known (Istio: shouldH2Upgrade)."""
    if http.h2_upgrade_policy in ("UPGRADE", "DO_NOT_UPGRADE"):
        return http.h2_upgrade_policy == "UPGRADE"
    return mesh.h2_upgrade_policy == "UPGRADE" and h2 is not None


def _protocol(http: HTTPSettings, *, h2: bool | None, upgraded: bool) -> Json:
    """HTTP/2 if the port or the policy demands it; the client's own protocol if the policy says so
    or the port's is unknown."""
    streams = http.max_concurrent_streams
    http2: Json = {"max_concurrent_streams": streams} if streams else {}
    if http.use_client_protocol or (h2 is None and not upgraded):
        options = {"http_protocol_options": {}, "http2_protocol_options": http2}
        return {"use_downstream_protocol_config": options}
    if h2 or upgraded:
        return {"explicit_http_config": {"http2_protocol_options": http2}}
    return {"explicit_http_config": {"http_protocol_options": {}}}


def speaks_http2(policy: TrafficPolicy, mesh: MeshConfig, *, h2: bool | None) -> bool:
    """Whether a client's cluster speaks HTTP/2 and nothing else; ``h2`` as ``ServicePort.h2``."""
    http = (policy.connection_pool and policy.connection_pool.http) or HTTPSettings()
    return not http.use_client_protocol and (bool(h2) or _upgrades(http, mesh, h2=h2))


def _keepalive(rule: TcpKeepalive) -> Json:
    """In whole seconds; 0 or none means the operating system's value."""
    fields = {
        "keepalive_probes": rule.probes,
        "keepalive_time": int(rule.time or 0),
        "keepalive_interval": int(rule.interval or 0),
    }
    return {name: value for name, value in fields.items() if value}


def set_auto_sni(cluster: Json, *, checked: bool) -> None:
    """Make the request's authority the SNI and, if ``checked``, the name that the certificate
    must carry."""
    options = cluster["typed_extension_protocol_options"][_OPTIONS]
    san_validation = {"auto_san_validation": True} if checked else {}
    options["upstream_http_protocol_options"] = {"auto_sni": True, **san_validation}


def _load_balancer(lb: LoadBalancer | None) -> Json:
    """By default LEAST_REQUEST; consistentHash is a ring of at least 1024 entries."""
    if lb is not None and lb.consistent_hash is not None:
        return _hash_load_balancer(lb.consistent_hash)
    name = _LB.get((lb and lb.simple) or "", "LEAST_REQUEST")
    fields: Json = {"lb_policy": name}
    window = _warmup(lb)
    if window and name != "RANDOM":
        fields[f"{name.lower()}_lb_config"] = {"slow_start_config": window}
    return fields


def _warmup(lb: LoadBalancer | None) -> Json:
    if lb is None:
        return {}
    if lb.warmup is None:
        old = lb.warmup_duration_secs
        return {"slow_start_window": seconds(old)} if old else {}
    fields: Json = {"slow_start_window": seconds(lb.warmup.duration)}
    if lb.warmup.aggression is not None:
        fields["aggression"] = {
            "default_value": lb.warmup.aggression,
            "runtime_key": "meshproof.warmup.aggression",
        }
    if lb.warmup.minimum_percent is not None:
        fields["min_weight_percent"] = {"value": lb.warmup.minimum_percent}
    return fields


def _hash_load_balancer(rule: ConsistentHash) -> Json:
    if rule.maglev is not None:
        size = rule.maglev.table_size
        config: Json = {"maglev_lb_config": {"table_size": str(size)}} if size else {}
        return {"lb_policy": "MAGLEV", **config}
    size = rule.minimum_ring_size
    if rule.ring_hash is not None:
        size = rule.ring_hash.minimum_ring_size
    ring = {"minimum_ring_size": str(size or _MINIMUM_RING)}
    return {"lb_policy": "RING_HASH", "ring_hash_lb_config": ring}


def _outlier_detection(rule: OutlierDetection | None) -> Json:
    """Outlier detection by errors alone; minHealthPercent enables panic mode."""
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
    if rule.split_external_local_origin_errors:
        outlier |= {
            "split_external_local_origin_errors": True,
            "enforcing_local_origin_success_rate": 0,
        }
        if rule.consecutive_local_origin_failures:
            outlier |= {
                "consecutive_local_origin_failure": rule.consecutive_local_origin_failures,
                "enforcing_consecutive_local_origin_failure": 100,
            }
    if rule.interval:
        outlier["interval"] = seconds(rule.interval)
    if rule.base_ejection_time:
        outlier["base_ejection_time"] = seconds(rule.base_ejection_time)
    if rule.max_ejection_percent:
        outlier["max_ejection_percent"] = rule.max_ejection_percent
    return {**fields, "outlier_detection": outlier}
