"""networking.istio.io/v1 (v1beta1 and v1alpha3 have the same fields): what meshproof honours.

VirtualService stands here, the other kinds in ``istio_rule`` and ``istio_entry``.

A field that is missing here is refused by name, never ignored. Names and meanings are those of
Istio's API; ``docs/fidelity.md`` lists what is left out.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from meshproof.model.base import Duration, FieldError, Labels, Model, Port, Regex
from meshproof.model.istio_entry import (
    Gateway,
    GatewayServer,
    GatewayServerPort,
    ServerTLSSettings,
    ServiceEntry,
    ServicePort,
    WorkloadEntry,
    WorkloadSelector,
)
from meshproof.model.istio_rule import (
    ClientSelector,
    ConnectionPool,
    ConsistentHash,
    CookieAttribute,
    DestinationRule,
    HTTPCookie,
    HTTPSettings,
    LoadBalancer,
    LocalityLoadBalancerSetting,
    Maglev,
    OutlierDetection,
    PortTrafficPolicy,
    RingHash,
    Subset,
    TcpKeepalive,
    TCPSettings,
    TrafficPolicy,
    Warmup,
)
from meshproof.model.istio_shared import Base64, ExportTo, PortSelector

__all__ = [
    "ClientSelector",
    "ConnectionPool",
    "ConsistentHash",
    "CookieAttribute",
    "DestinationRule",
    "Gateway",
    "GatewayServer",
    "GatewayServerPort",
    "HTTPCookie",
    "HTTPSettings",
    "LoadBalancer",
    "LocalityLoadBalancerSetting",
    "Maglev",
    "OutlierDetection",
    "PortSelector",
    "PortTrafficPolicy",
    "RingHash",
    "ServerTLSSettings",
    "ServiceEntry",
    "ServicePort",
    "Subset",
    "TCPSettings",
    "TcpKeepalive",
    "TrafficPolicy",
    "Warmup",
    "WorkloadEntry",
    "WorkloadSelector",
]
CLAIMS = "@request.auth.claims"


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
    stat_prefix: str | None = None

    @model_validator(mode="after")
    def _no_claims(self) -> Self:
        for field, names in (("headers", self.headers), ("withoutHeaders", self.without_headers)):
            claim = next((n for n in names if n.startswith(CLAIMS)), None)
            if claim:
                raise FieldError(
                    "is a match on a JWT's claim, which meshproof's embedded mesh does not honour "
                    "yet; wanted a header",
                    field,
                    claim,
                )
        return self


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
    bytes: Base64 | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.string is not None and self.bytes is not None:
            raise ValueError("has both string and bytes; wanted one")
        return self


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


GRPC_STATUS = (
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
)
"""gRPC's status names; a name's place is its number."""


class Abort(Model):
    http_status: Annotated[int, Field(ge=200, le=599)] | None = None
    grpc_status: str | None = None
    percentage: Percent | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.http_status is None) == (self.grpc_status is None):
            raise ValueError("has not one of httpStatus and grpcStatus; wanted one")
        if self.grpc_status is not None and self.grpc_status not in GRPC_STATUS:
            wanted = f"one of {', '.join(GRPC_STATUS)}"
            raise FieldError(f'is "{self.grpc_status}"; wanted {wanted}', "grpcStatus")
        return self


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


class CorsPolicy(Model):
    allow_origin: list[str] = []
    """Deprecated by Istio, still honoured where allowOrigins says nothing."""
    allow_origins: list[StringMatch] = []
    allow_methods: list[str] = []
    allow_headers: list[str] = []
    expose_headers: list[str] = []
    max_age: Duration | None = None
    allow_credentials: bool | None = None
    unmatched_preflights: Literal["UNSPECIFIED", "FORWARD", "IGNORE"] | None = None

    @model_validator(mode="after")
    def _origins_say_something(self) -> Self:
        for index, origin in enumerate(self.allow_origins):
            if not (origin.exact or origin.prefix or origin.regex):
                raise FieldError("is empty; wanted exact, prefix or regex", "allowOrigins", index)
        return self


class Delegate(Model):
    """The VirtualService without hosts whose routes stand here."""

    name: Annotated[str, Field(min_length=1)]
    namespace: str | None = None


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
    mirror_percent: Annotated[int, Field(ge=0, le=100)] | None = None
    """Deprecated by Istio, still honoured; mirrorPercentage wins."""
    mirrors: list[HTTPMirrorPolicy] = []
    cors_policy: CorsPolicy | None = None
    headers: Headers = Headers()
    delegate: Delegate | None = None

    @model_validator(mode="after")
    def _one_action(self) -> Self:
        actions = [
            name
            for name, value in (
                ("route", self.route),
                ("redirect", self.redirect),
                ("directResponse", self.direct_response),
                ("delegate", self.delegate),
            )
            if value
        ]
        if len(actions) != 1:
            found = " and ".join(actions) or "none"
            raise ValueError(
                f"has {found} of route, redirect, directResponse, delegate; wanted one"
            )
        if len(self.route) > 1 and sum(r.weight for r in self.route) == 0:
            raise ValueError("the weights of its destinations add up to 0; wanted more")
        if self.mirror and self.mirrors:
            raise ValueError("has both mirror and mirrors; wanted one")
        return self


class VirtualService(Model):
    """Routes of HTTP hosts; ``tls`` and ``tcp`` routes are refused by name.

    Without ``hosts`` it is a delegate: its routes serve where another's ``delegate`` names it.
    """

    hosts: list[str] = []
    gateways: list[str] = []
    http: list[HTTPRoute] = []
    export_to: ExportTo = []

    @model_validator(mode="after")
    def _delegate(self) -> Self:
        if self.hosts:
            return self
        if self.gateways:
            raise FieldError("are set on a delegate (it has no hosts); wanted none", "gateways")
        for index, route in enumerate(self.http):
            if route.delegate:
                found = "stands in a delegate (it has no hosts), and Istio delegates once"
                raise FieldError(f"{found}; wanted a route", "http", index, "delegate")
        return self
