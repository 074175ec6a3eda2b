"""config.istio.io/v1alpha2, the API of Istio 0.4: RouteRule, EgressRule, DestinationPolicy."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from meshproof.model.base_model import FieldError, Model
from meshproof.model.durations import Duration
from meshproof.model.field_types import Labels, Port
from meshproof.model.string_types import Domain, HeaderName, HeaderValue, Label, Line, Service
from meshproof.model.virtual_service_route import StringMatch


class IstioService(Model):
    """A service by full ``service`` name, or by ``name`` and ``namespace``."""

    name: Label | None = None
    namespace: Label | None = None
    domain: Domain | None = None
    service: Service | None = None
    labels: Labels = {}

    @model_validator(mode="after")
    def _named(self) -> Self:
        if not (self.name or self.service):
            raise ValueError("names no service; wanted name or service")
        return self


class MatchSource(Model):
    name: Label | None = None
    namespace: Label | None = None
    labels: Labels = {}


class MatchHeaders(Model):
    headers: dict[HeaderName, StringMatch] = {}


class MatchCondition(Model):
    source: MatchSource | None = None
    request: MatchHeaders | None = None


class DestinationWeight(Model):
    labels: Labels = {}
    weight: Annotated[int, Field(ge=0, le=100)] = 0
    destination: IstioService | None = None


class SimpleTimeout(Model):
    timeout: Duration


class HTTPTimeout(Model):
    simple_timeout: SimpleTimeout


class SimpleRetry(Model):
    attempts: Annotated[int, Field(ge=0)]
    per_try_timeout: Duration | None = None


class HTTPRetry(Model):
    simple_retry: SimpleRetry


class FaultDelay(Model):
    percent: Annotated[float, Field(ge=0, le=100)] = 0.0
    fixed_delay: Duration


class FaultAbort(Model):
    percent: Annotated[float, Field(ge=0, le=100)] = 0.0
    http_status: Annotated[int, Field(ge=200, le=599)]


class HTTPFault(Model):
    delay: FaultDelay | None = None
    abort: FaultAbort | None = None


class Rewrite(Model):
    uri: Line | None = None
    authority: Line | None = None


class CorsPolicy(Model):
    allow_origin: list[Annotated[Line, Field(min_length=1)]] = []
    allow_methods: list[Line] = []
    allow_headers: list[Line] = []
    expose_headers: list[Line] = []
    max_age: Duration | None = None
    allow_credentials: bool | None = None


class RouteRule(Model):
    """0.4's VirtualService: one rule of a destination, ordered by ``precedence`` (higher first)."""

    destination: IstioService
    precedence: int = 0
    match: MatchCondition | None = None
    route: list[DestinationWeight] = []
    redirect: Rewrite | None = None
    rewrite: Rewrite | None = None
    http_req_timeout: HTTPTimeout | None = None
    http_req_retries: HTTPRetry | None = None
    http_fault: HTTPFault | None = None
    append_headers: dict[HeaderName, HeaderValue] = {}
    mirror: IstioService | None = None
    cors_policy: CorsPolicy | None = None
    websocket_upgrade: bool = False

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.destination.labels:
            raise FieldError(
                "is set; wanted it empty: labels belong to route", "destination", "labels"
            )
        total = sum(r.weight for r in self.route)
        if len(self.route) > 1 and total != 100:
            raise FieldError(f"the weights add up to {total}; wanted 100", "route")
        if len(self.route) == 1 and total not in (0, 100):
            raise FieldError(
                f"the weight of the only route is {total}; wanted 100, or none", "route"
            )
        if self.redirect and (self.route or self.http_fault or self.rewrite):
            raise FieldError(
                "cannot be combined with route, rewrite or httpFault; wanted one of them",
                "redirect",
            )
        return self


class EgressPort(Model):
    port: Port
    protocol: Literal["http", "https", "tcp"]


class EgressRule(Model):
    """0.4's ServiceEntry: opens one domain or address, at these ports, for the whole mesh."""

    destination: IstioService
    ports: Annotated[list[EgressPort], Field(min_length=1)]
    use_egress_proxy: bool = False

    @model_validator(mode="after")
    def _no_proxy(self) -> Self:
        if self.use_egress_proxy:
            raise FieldError("is true, which Istio 0.4 refused too; wanted false", "useEgressProxy")
        return self

    @model_validator(mode="after")
    def _service_only(self) -> Self:
        if not self.destination.service or self.destination.name or self.destination.labels:
            raise FieldError("has other fields than service; wanted service alone", "destination")
        return self


class LoadBalancing(Model):
    name: Literal["ROUND_ROBIN", "LEAST_CONN", "RANDOM"]


class SimpleCircuitBreaker(Model):
    """0 means "not set"; a limit that is not set is Envoy's own, 1024."""

    max_connections: Annotated[int, Field(ge=0)] = 0
    http_max_pending_requests: Annotated[int, Field(ge=0)] = 0
    http_max_requests: Annotated[int, Field(ge=0)] = 0
    http_max_requests_per_connection: Annotated[int, Field(ge=0)] = 0
    http_max_retries: Annotated[int, Field(ge=0)] = 0
    """0.4 read it and never used it: the limit was Envoy's 3."""
    sleep_window: Duration = 0.0
    http_consecutive_errors: Annotated[int, Field(ge=0)] = 0
    http_detection_interval: Duration = 0.0
    http_max_ejection_percent: Annotated[int, Field(ge=0, le=100)] = 0


class CircuitBreaker(Model):
    simple_cb: SimpleCircuitBreaker


class DestinationPolicy(Model):
    """0.4's DestinationRule: for the destination with exactly these labels, and one caller."""

    destination: IstioService
    source: IstioService | None = None
    load_balancing: LoadBalancing | None = None
    circuit_breaker: CircuitBreaker | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.load_balancing is None and self.circuit_breaker is None:
            raise ValueError("is empty; wanted loadBalancing or circuitBreaker")
        return self
