"""The parts of a VirtualService's HTTP route: matches, destinations, actions, faults, retries."""

from __future__ import annotations

import base64
import binascii
from http import HTTPStatus
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from meshproof.model.base_model import FieldError, Model
from meshproof.model.durations import Duration
from meshproof.model.field_types import Labels, Port, PortSelector
from meshproof.model.regex import Regex, check_regex
from meshproof.model.string_types import HeaderName, HeaderValue, Host, Line, check_header_name

_STATUSES = frozenset(str(int(status)) for status in HTTPStatus)


CLAIMS = "@request.auth.claims"


def claims_of(name: str) -> list[str]:
    """The claim's path: ``a`` and ``b`` of ``@request.auth.claims.a.b`` and of ``..claims[a][b]``;
    empty for a header's name."""
    rest = name[len(CLAIMS) :] if name.lower().startswith(CLAIMS) else ""
    if rest.startswith(".") and len(rest) > 1:
        return rest[1:].split(".")
    if rest.startswith("[") and rest.endswith("]") and len(rest) > 2:
        return rest[1:-1].split("][")
    return []


def _check_matched_name(name: str) -> str:
    return name if all(claims_of(name) or [""]) and claims_of(name) else check_header_name(name)


MatchedName = Annotated[str, AfterValidator(_check_matched_name)]
"""A header's name, or a claim of the request's token."""


class StringMatch(Model):
    """At most one of the three; none at all means "present" (Istio's convertToHeaderMatcher)."""

    exact: Line | None = None
    prefix: Line | None = None
    regex: Regex | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(v is not None for v in (self.exact, self.prefix, self.regex)) > 1:
            raise ValueError("has more than one of exact, prefix, regex; wanted one")
        return self


def _check_absent(value: Any) -> Any:
    """``regex: "*"`` is Istio's word for "present", and no expression."""
    return value if value == "*" else check_regex(value)


class AbsentMatch(StringMatch):
    """A match of ``withoutHeaders``."""

    regex: Annotated[str, BeforeValidator(_check_absent)] | None = None


class Destination(Model):
    host: Host
    subset: Line | None = None
    port: PortSelector | None = None


class HeaderOperations(Model):
    set: dict[HeaderName, HeaderValue] = {}
    add: dict[HeaderName, HeaderValue] = {}
    remove: list[HeaderName] = []


class Headers(Model):
    request: HeaderOperations = HeaderOperations.empty()
    response: HeaderOperations = HeaderOperations.empty()


class HTTPMatchRequest(Model):
    """Fields of one entry are ANDed, the entries of the list ORed."""

    name: Line | None = None
    uri: StringMatch | None = None
    scheme: StringMatch | None = None
    method: StringMatch | None = None
    authority: StringMatch | None = None
    headers: dict[MatchedName, StringMatch] = {}
    without_headers: dict[MatchedName, AbsentMatch] = {}
    query_params: dict[Line, StringMatch] = {}
    ignore_uri_case: bool = False
    port: Port | None = None
    source_labels: Labels = {}
    source_namespace: Line | None = None
    gateways: list[str] = []
    stat_prefix: Line | None = None


class HTTPRouteDestination(Model):
    destination: Destination
    weight: Annotated[int, Field(ge=0)] = 0
    headers: Headers = Headers.empty()


class RegexRewrite(Model):
    match: Regex
    rewrite: Line


class HTTPRewrite(Model):
    uri: Line | None = None
    authority: Line | None = None
    uri_regex_rewrite: RegexRewrite | None = None


class HTTPRedirect(Model):
    uri: Line | None = None
    authority: Line | None = None
    scheme: Line | None = None
    port: Port | None = None
    derive_port: Literal["FROM_PROTOCOL_DEFAULT", "FROM_REQUEST_PORT"] | None = None
    redirect_code: Literal[301, 302, 303, 307, 308] | None = None


def _check_base64(value: Any) -> Any:
    if isinstance(value, str):
        try:
            base64.b64decode(value, validate=True)
        except binascii.Error:
            raise ValueError("is not base64; wanted base64") from None
    return value


Base64 = Annotated[str, BeforeValidator(_check_base64)]


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
    fixed_delay: Duration | None = None
    """Without one nothing is delayed (Istio: translateFault)."""
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
"""gRPC's status names; a name's index is its code."""


class Abort(Model):
    http_status: Annotated[int, Field(ge=200, le=599)] | None = None
    grpc_status: Line | None = None
    percentage: Percent | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.http_status is not None and self.grpc_status is not None:
            raise ValueError("has both httpStatus and grpcStatus; wanted one")
        if self.grpc_status is not None and self.grpc_status not in GRPC_STATUS:
            expected = f"one of {', '.join(GRPC_STATUS)}"
            raise FieldError(f'is "{self.grpc_status}"; wanted {expected}', "grpcStatus")
        return self


class HTTPFaultInjection(Model):
    delay: Delay | None = None
    abort: Abort | None = None


RETRY_ON = frozenset(
    (
        *("5xx", "gateway-error", "reset", "reset-before-request", "connect-failure"),
        *("retriable-4xx", "refused-stream", "retriable-status-codes", "retriable-headers"),
        *("envoy-ratelimited", "http3-post-connect-failure"),
        *("cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable"),
    )
)
"""What Istio's validation accepts, for HTTP and gRPC, besides HTTP status codes."""


class HTTPRetry(Model):
    attempts: Annotated[int, Field(ge=0)] = 0
    per_try_timeout: Duration | None = None
    retry_on: Line | None = None
    backoff: Duration | None = None
    retry_remote_localities: bool = False
    retry_ignore_previous_hosts: bool | None = None
    """By default true, except under consistentHash."""

    @model_validator(mode="after")
    def _known_conditions(self) -> Self:
        for condition in self.retry_on.split(",") if self.retry_on else ():
            if condition not in RETRY_ON and condition not in _STATUSES:
                raise FieldError(
                    f'has "{condition}", which Istio refuses; wanted HTTP statuses and '
                    f"{', '.join(sorted(RETRY_ON))}, with commas alone between them",
                    "retryOn",
                )
        return self


class HTTPMirrorPolicy(Model):
    destination: Destination
    percentage: Percent | None = None


class CorsPolicy(Model):
    allow_origin: list[Line] = []
    """Deprecated by Istio, still honoured if allowOrigins is empty."""
    allow_origins: list[StringMatch] = []
    allow_methods: list[Line] = []
    allow_headers: list[Line] = []
    expose_headers: list[Line] = []
    max_age: Duration | None = None
    allow_credentials: bool | None = None
    unmatched_preflights: Literal["UNSPECIFIED", "FORWARD", "IGNORE"] | None = None

    @model_validator(mode="after")
    def _origins_say_something(self) -> Self:
        for index, origin in enumerate(self.allow_origins):
            if not (origin.exact or origin.prefix or origin.regex):
                raise FieldError("is empty; wanted exact, prefix or regex", "allowOrigins", index)
        return self
