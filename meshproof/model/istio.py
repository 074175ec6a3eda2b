"""networking.istio.io/v1 (v1beta1 and v1alpha3 have the same fields): what meshproof honours.

A field that is missing here is refused by name, never ignored. Names and meanings are those of
Istio's API; ``docs/fidelity.md`` lists what is left out.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from meshproof.model.base import Duration, Labels, Model, Port, Regex


class StringMatch(Model):
    """At most one of the three; none at all means "present" (Istio's convertToHeaderMatcher)."""

    exact: str | None = None
    prefix: str | None = None
    regex: Regex | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(v is not None for v in (self.exact, self.prefix, self.regex)) > 1:
            raise ValueError("has more than one of exact, prefix, regex; wanted one")
        return self


class PortSelector(Model):
    number: Port


class Destination(Model):
    host: Annotated[str, Field(min_length=1)]
    subset: str | None = None
    port: PortSelector | None = None


class HeaderOperations(Model):
    set: dict[str, str] = {}
    add: dict[str, str] = {}
    remove: list[str] = []


class Headers(Model):
    request: HeaderOperations = HeaderOperations()
    response: HeaderOperations = HeaderOperations()


class HTTPMatchRequest(Model):
    """Fields of one entry AND together; entries of the list OR."""

    name: str | None = None
    uri: StringMatch | None = None
    scheme: StringMatch | None = None
    method: StringMatch | None = None
    authority: StringMatch | None = None
    headers: dict[str, StringMatch] = {}
    without_headers: dict[str, StringMatch] = {}
    query_params: dict[str, StringMatch] = {}
    ignore_uri_case: bool = False
    port: Port | None = None
    source_labels: Labels = {}
    source_namespace: str | None = None
    gateways: list[str] = []


class HTTPRouteDestination(Model):
    destination: Destination
    weight: Annotated[int, Field(ge=0)] = 0
    headers: Headers = Headers()


class RegexRewrite(Model):
    match: Regex
    rewrite: str


class HTTPRewrite(Model):
    uri: str | None = None
    authority: str | None = None
    uri_regex_rewrite: RegexRewrite | None = None


class HTTPRedirect(Model):
    uri: str | None = None
    authority: str | None = None
    scheme: str | None = None
    port: Port | None = None
    derive_port: Literal["FROM_PROTOCOL_DEFAULT", "FROM_REQUEST_PORT"] | None = None
    redirect_code: Literal[301, 302, 303, 307, 308] | None = None


class HTTPBody(Model):
    string: str | None = None


class HTTPDirectResponse(Model):
    status: Annotated[int, Field(ge=200, le=599)]
    body: HTTPBody | None = None


class Percent(Model):
    value: Annotated[float, Field(ge=0, le=100)] = 0.0


class Delay(Model):
    fixed_delay: Duration
    percentage: Percent | None = None
    percent: Annotated[int, Field(ge=0, le=100)] | None = None
    """Deprecated by Istio, still honoured for delays."""


class Abort(Model):
    http_status: Annotated[int, Field(ge=200, le=599)]
    percentage: Percent | None = None


class HTTPFaultInjection(Model):
    delay: Delay | None = None
    abort: Abort | None = None


class HTTPRetry(Model):
    attempts: Annotated[int, Field(ge=0)] = 0
    per_try_timeout: Duration | None = None
    retry_on: str | None = None
    backoff: Duration | None = None
    retry_remote_localities: bool = False
    retry_ignore_previous_hosts: bool = True


class HTTPMirrorPolicy(Model):
    destination: Destination
    percentage: Percent | None = None


class HTTPRoute(Model):
    name: str | None = None
    match: list[HTTPMatchRequest] = []
    route: list[HTTPRouteDestination] = []
    redirect: HTTPRedirect | None = None
    direct_response: HTTPDirectResponse | None = None
    rewrite: HTTPRewrite | None = None
    timeout: Duration | None = None
    retries: HTTPRetry | None = None
    fault: HTTPFaultInjection | None = None
    mirror: Destination | None = None
    mirror_percentage: Percent | None = None
    mirrors: list[HTTPMirrorPolicy] = []
    headers: Headers = Headers()

    @model_validator(mode="after")
    def _one_action(self) -> Self:
        actions = [
            name
            for name, value in (
                ("route", self.route),
                ("redirect", self.redirect),
                ("directResponse", self.direct_response),
            )
            if value
        ]
        if len(actions) != 1:
            found = " and ".join(actions) or "none"
            raise ValueError(f"has {found} of route, redirect, directResponse; wanted one")
        if len(self.route) > 1 and sum(r.weight for r in self.route) == 0:
            raise ValueError("the weights of its destinations add up to 0; wanted more")
        if self.mirror and self.mirrors:
            raise ValueError("has both mirror and mirrors; wanted one")
        return self


class VirtualService(Model):
    hosts: Annotated[list[str], Field(min_length=1)]
    gateways: list[str] = []
    http: list[HTTPRoute] = []
    export_to: list[Literal["*", "."]] = []


class TCPSettings(Model):
    max_connections: Annotated[int, Field(ge=1)] | None = None
    connect_timeout: Duration | None = None
    idle_timeout: Duration | None = None


class HTTPSettings(Model):
    http1_max_pending_requests: Annotated[
        int | None, Field(ge=0, alias="http1MaxPendingRequests")
    ] = None
    http2_max_requests: Annotated[int | None, Field(ge=0, alias="http2MaxRequests")] = None
    max_requests_per_connection: Annotated[int, Field(ge=0)] | None = None
    max_retries: Annotated[int, Field(ge=0)] | None = None
    idle_timeout: Duration | None = None


class ConnectionPool(Model):
    tcp: TCPSettings | None = None
    http: HTTPSettings | None = None


class OutlierDetection(Model):
    consecutive_5xx_errors: Annotated[int | None, Field(ge=0, alias="consecutive5xxErrors")] = None
    consecutive_gateway_errors: Annotated[int, Field(ge=0)] | None = None
    interval: Duration | None = None
    base_ejection_time: Duration | None = None
    max_ejection_percent: Annotated[int, Field(ge=0, le=100)] | None = None
    min_health_percent: Annotated[int, Field(ge=0, le=100)] | None = None


class HTTPCookie(Model):
    name: Annotated[str, Field(min_length=1)]
    path: str | None = None
    ttl: Duration | None = None


class ConsistentHash(Model):
    http_header_name: str | None = None
    http_cookie: HTTPCookie | None = None
    use_source_ip: bool = False
    http_query_parameter_name: str | None = None

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
        return self


class LoadBalancer(Model):
    simple: (
        Literal["UNSPECIFIED", "LEAST_REQUEST", "LEAST_CONN", "RANDOM", "ROUND_ROBIN"] | None
    ) = None
    consistent_hash: ConsistentHash | None = None
    warmup_duration_secs: Duration | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.simple is not None and self.consistent_hash is not None:
            raise ValueError("has both simple and consistentHash; wanted one")
        return self


class TrafficPolicy(Model):
    load_balancer: LoadBalancer | None = None
    connection_pool: ConnectionPool | None = None
    outlier_detection: OutlierDetection | None = None


class Subset(Model):
    name: Annotated[str, Field(min_length=1)]
    labels: Labels = {}
    traffic_policy: TrafficPolicy | None = None


class DestinationRule(Model):
    host: Annotated[str, Field(min_length=1)]
    subsets: list[Subset] = []
    traffic_policy: TrafficPolicy | None = None
    export_to: list[Literal["*", "."]] = []

    @model_validator(mode="after")
    def _unique_subsets(self) -> Self:
        names = [s.name for s in self.subsets]
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise ValueError(
                f"subset {', '.join(twice)} is declared twice; wanted one of each name"
            )
        return self


class ServicePort(Model):
    number: Port
    name: Annotated[str, Field(min_length=1)]
    protocol: Literal["HTTP", "HTTPS", "TLS", "TCP"] = "TCP"
    target_port: Port | None = None


class WorkloadEntry(Model):
    address: Annotated[str, Field(min_length=1)]
    ports: dict[str, int] = {}
    labels: Labels = {}
    weight: Annotated[int, Field(ge=0)] | None = None


class ServiceEntry(Model):
    """Opens the mesh to a host; ``resolution`` says where the addresses come from."""

    hosts: Annotated[list[str], Field(min_length=1)]
    addresses: list[str] = []
    ports: Annotated[list[ServicePort], Field(min_length=1)]
    location: Literal["MESH_EXTERNAL"] | None = None
    resolution: Literal["DNS", "STATIC"]
    endpoints: list[WorkloadEntry] = []
    export_to: list[Literal["*", "."]] = []

    @model_validator(mode="after")
    def _static_has_addresses(self) -> Self:
        if self.resolution == "STATIC" and not self.endpoints and not self.addresses:
            raise ValueError("resolution STATIC has no endpoints and no addresses; wanted either")
        return self


class GatewayServerPort(Model):
    number: Port
    name: str | None = None
    protocol: Literal["HTTP"]


class GatewayServer(Model):
    port: GatewayServerPort
    hosts: Annotated[list[str], Field(min_length=1)]
    name: str | None = None


class Gateway(Model):
    """Plain HTTP; ``selector`` picks the gateway Envoy by label (``istio: ingressgateway``)."""

    selector: Labels = {}
    servers: Annotated[list[GatewayServer], Field(min_length=1)]
