"""networking.istio.io/v1 DestinationRule: what meshproof honours."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from meshproof.model.base_model import FieldError, Model
from meshproof.model.destination_rule_tls import ClientTLSSettings
from meshproof.model.durations import Duration
from meshproof.model.export_to import RuleExportTo
from meshproof.model.field_types import Labels, PortSelector
from meshproof.model.string_types import HeaderName, Host, Line
from meshproof.model.workload_selector import WorkloadSelector

_MAX_RING = 8388608
_MAX_TABLE = 5000011
Count = Annotated[int, Field(ge=0, le=4294967295)]
"""0 is Istio's "not set"."""


class TcpKeepalive(Model):
    probes: Count | None = None
    time: Duration | None = None
    interval: Duration | None = None


class TCPSettings(Model):
    max_connections: Count | None = None
    connect_timeout: Duration | None = None
    idle_timeout: Duration | None = None
    tcp_keepalive: TcpKeepalive | None = None
    max_connection_duration: Duration | None = None


class HTTPSettings(Model):
    http1_max_pending_requests: Annotated[Count | None, Field(alias="http1MaxPendingRequests")] = (
        None
    )
    http2_max_requests: Annotated[Count | None, Field(alias="http2MaxRequests")] = None
    max_requests_per_connection: Annotated[int, Field(ge=0, le=536870912)] | None = None
    max_retries: Count | None = None
    idle_timeout: Duration | None = None
    h2_upgrade_policy: Annotated[
        Literal["DEFAULT", "DO_NOT_UPGRADE", "UPGRADE"] | None, Field(alias="h2UpgradePolicy")
    ] = None
    use_client_protocol: bool = False
    max_concurrent_streams: Annotated[int, Field(ge=0, le=2147483647)] | None = None
    """For HTTP/2 upstreams."""


class ConnectionPool(Model):
    tcp: TCPSettings | None = None
    http: HTTPSettings | None = None


class OutlierDetection(Model):
    consecutive_5xx_errors: Annotated[Count | None, Field(alias="consecutive5xxErrors")] = None
    consecutive_gateway_errors: Count | None = None
    consecutive_errors: Annotated[int, Field(ge=-2147483648, le=2147483647)] | None = None
    """Without effect: Istio has deprecated it, and ignores it with a warning."""
    split_external_local_origin_errors: bool = False
    consecutive_local_origin_failures: Count | None = None
    """Counted only if splitExternalLocalOriginErrors is set."""
    interval: Duration | None = None
    base_ejection_time: Duration | None = None
    max_ejection_percent: Annotated[int, Field(ge=0, le=100)] | None = None
    min_health_percent: Annotated[int, Field(ge=0, le=100)] | None = None


class CookieAttribute(Model):
    name: Annotated[Line, Field(min_length=1)]
    value: Line = ""


class HTTPCookie(Model):
    name: Annotated[Line, Field(min_length=1)]
    path: Line | None = None
    ttl: Duration | None = None
    attributes: list[CookieAttribute] = []


class RingHash(Model):
    minimum_ring_size: Annotated[int, Field(ge=0, le=_MAX_RING)] | None = None


class Maglev(Model):
    table_size: Annotated[int, Field(ge=0, le=_MAX_TABLE)] | None = None

    @model_validator(mode="after")
    def _prime(self) -> Self:
        size = self.table_size
        if size and (size < 2 or any(size % n == 0 for n in range(2, int(size**0.5) + 1))):
            raise FieldError(
                f"{size} is not a prime number; wanted one, as Envoy does", "tableSize"
            )
        return self


class ConsistentHash(Model):
    http_header_name: HeaderName | None = None
    http_cookie: HTTPCookie | None = None
    use_source_ip: bool = False
    http_query_parameter_name: Line | None = None
    ring_hash: RingHash | None = None
    maglev: Maglev | None = None
    minimum_ring_size: Annotated[int, Field(ge=0, le=_MAX_RING)] | None = None
    """Deprecated by Istio, still honoured if neither ringHash nor maglev is set."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        chosen = (
            self.http_header_name is not None,
            self.http_cookie is not None,
            self.use_source_ip,
            self.http_query_parameter_name is not None,
        )
        if sum(chosen) != 1:
            raise ValueError(
                "wanted one of httpHeaderName, httpCookie, useSourceIp, httpQueryParameterName"
            )
        if "" in (self.http_header_name, self.http_query_parameter_name):
            raise ValueError("names an empty header or parameter; wanted a name")
        if self.ring_hash is not None and self.maglev is not None:
            raise ValueError("has both ringHash and maglev; wanted one")
        return self


class Warmup(Model):
    """A new endpoint gets ``minimumPercent`` of its weight at first, and all of it after
    ``duration``."""

    duration: Duration
    minimum_percent: Annotated[float, Field(ge=0, le=100)] | None = None
    aggression: Annotated[float, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _some_time(self) -> Self:
        if self.duration <= 0:
            raise FieldError("is 0; wanted more", "duration")
        return self


class LocalityDistribute(Model):
    from_: Annotated[Line, Field(alias="from")] = ""
    to: dict[Line, Annotated[int, Field(ge=0, le=100)]] = {}


class LocalityFailover(Model):
    from_: Annotated[Line, Field(alias="from")] = ""
    to: Line = ""


class LocalityLoadBalancerSetting(Model):
    """Which places a client prefers, by its own. Failing over needs outlierDetection beside it."""

    enabled: bool | None = None
    distribute: list[LocalityDistribute] = []
    failover: list[LocalityFailover] = []
    failover_priority: list[Line] = []

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.distribute and self.failover:
            raise ValueError("has both distribute and failover; wanted one")
        return self


class RetryBudget(Model):
    """Up to ``percent`` of the active requests may be retries, and at least
    ``minRetryConcurrency``."""

    percent: Annotated[float, Field(ge=0, le=100)] | None = None
    min_retry_concurrency: Annotated[int, Field(ge=0, le=4294967295)] = 0


class ProxyProtocol(Model):
    version: Literal["V1", "V2"] = "V1"


class LoadBalancer(Model):
    simple: (
        Literal[
            "UNSPECIFIED", "LEAST_REQUEST", "LEAST_CONN", "RANDOM", "ROUND_ROBIN", "PASSTHROUGH"
        ]
        | None
    ) = None
    consistent_hash: ConsistentHash | None = None
    warmup_duration_secs: Duration | None = None
    """Deprecated by Istio, still honoured; ``warmup`` wins."""
    warmup: Warmup | None = None
    locality_lb_setting: LocalityLoadBalancerSetting | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.simple is not None and self.consistent_hash is not None:
            raise ValueError("has both simple and consistentHash; wanted one")
        return self


class PortTrafficPolicy(Model):
    """The whole policy of a port: it inherits nothing from the surrounding policy."""

    port: PortSelector
    load_balancer: LoadBalancer | None = None
    connection_pool: ConnectionPool | None = None
    outlier_detection: OutlierDetection | None = None
    tls: ClientTLSSettings | None = None


class Tunnel(Model):
    """Of connections to a proxy, which is asked for one to the target."""

    target_host: str
    target_port: int
    protocol: Literal["", "CONNECT", "POST"] = ""


class TrafficPolicy(Model):
    load_balancer: LoadBalancer | None = None
    connection_pool: ConnectionPool | None = None
    outlier_detection: OutlierDetection | None = None
    tls: ClientTLSSettings | None = None
    retry_budget: RetryBudget | None = None
    proxy_protocol: ProxyProtocol | None = None
    tunnel: Tunnel | None = None
    port_level_settings: list[PortTrafficPolicy] = []


class Subset(Model):
    name: Annotated[Line, Field(min_length=1)]
    labels: Labels = {}
    traffic_policy: TrafficPolicy | None = None


class DestinationRule(Model):
    host: Host
    subsets: list[Subset] = []
    traffic_policy: TrafficPolicy | None = None
    export_to: RuleExportTo = []
    workload_selector: WorkloadSelector | None = None
    """The clients in the rule's own namespace that it applies to."""

    @model_validator(mode="after")
    def _selects_at_home(self) -> Self:
        if self.workload_selector and (len(self.export_to) > 1 or "*" in self.export_to):
            message = "reaches beyond its own namespace, but workloadSelector is for clients in it"
            raise FieldError(f'{message}; wanted ".", or none', "exportTo")
        return self

    @model_validator(mode="after")
    def _unique_subsets(self) -> Self:
        names = [s.name for s in self.subsets]
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise ValueError(
                f"subset {', '.join(twice)} is declared twice; wanted one of each name"
            )
        return self
