"""gateway.networking.k8s.io/v1 HTTPRoute with Services as parents (GAMMA): what is honoured.

Defaults are those of the API's own CRD (path prefix ``/``, weight 1, status 302). A field that is
missing here is refused by name, and so is what a Kubernetes API server would refuse by the CRD's
validation rules. ``hostnames`` mean nothing to a mesh: the host is the parent's (Istio,
pilot/pkg/config/kube/gateway/route_collections.go).
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, PlainSerializer, model_validator

from meshproof.model.base_model import FieldError, Model
from meshproof.model.durations import format_duration, parse_duration
from meshproof.model.field_types import Port
from meshproof.model.regex import regex_problem
from meshproof.model.string_types import HeaderValue, Host, Line

_DURATION = re.compile(r"([0-9]{1,5}(h|m|s|ms)){1,4}")
_DURATIONS = "whole numbers with h, m, s or ms, such as 500ms or 1m30s"
_HEADER = r"[A-Za-z0-9!#$%&'*+\-.^_`|~]+"

GROUP = "gateway.networking.k8s.io"
SERVICE = ("", "Service")
SERVICE_ENTRY = ("networking.istio.io", "ServiceEntry")
HOSTNAME = ("networking.istio.io", "Hostname")
"""A backend by its name in the registry, as Istio takes it (a ServiceEntry's host)."""


def _duration(value: Any) -> float:
    if isinstance(value, float):
        return value
    if not isinstance(value, str) or not _DURATION.fullmatch(value):
        raise ValueError(f'"{value}" is not a duration of the Gateway API; wanted {_DURATIONS}')
    return parse_duration(value)


Duration = Annotated[
    float,
    BeforeValidator(_duration),
    PlainSerializer(format_duration, return_type=str, when_used="json"),
]
"""Seconds; GEP-2257's texts, a part of Go's."""
Name = Annotated[Line, Field(min_length=1, max_length=253)]
HeaderName = Annotated[str, Field(min_length=1, max_length=256, pattern=f"^{_HEADER}$")]


class ParentReference(Model):
    """Whose requests the route takes. Only mesh parents: a Service, or Istio's ServiceEntry."""

    group: str = GROUP
    kind: str = "Gateway"
    name: Name
    namespace: Line | None = None
    port: Port | None = None

    @model_validator(mode="after")
    def _mesh(self) -> Self:
        if self.what not in (SERVICE, SERVICE_ENTRY):
            raise FieldError(
                f"{self.group or 'core'} {self.kind} is a parent that meshproof's embedded mesh "
                'does not honour yet; wanted group: "" and kind: Service',
                "kind",
            )
        return self

    @property
    def what(self) -> tuple[str, str]:
        return (self.group, self.kind)


class HTTPPathMatch(Model):
    type: Literal["Exact", "PathPrefix", "RegularExpression"] = "PathPrefix"
    value: Annotated[str, Field(max_length=1024)] = "/"

    @model_validator(mode="after")
    def _absolute(self) -> Self:
        if self.type == "RegularExpression":
            _check_regex(self.value)
        elif not self.value.startswith("/"):
            raise FieldError(f'"{self.value}" is no absolute path; wanted one from /', "value")
        return self


class NamedMatch(Model):
    """A header or a query parameter."""

    type: Literal["Exact", "RegularExpression"] = "Exact"
    name: HeaderName
    value: Annotated[str, Field(min_length=1, max_length=4096)]

    @model_validator(mode="after")
    def _expression(self) -> Self:
        if self.type == "RegularExpression":
            _check_regex(self.value)
        return self


class HTTPRouteMatch(Model):
    """Fields AND together; entries of the list OR. Of one name the first entry counts."""

    path: HTTPPathMatch = HTTPPathMatch()
    headers: Annotated[list[NamedMatch], Field(max_length=16)] = []
    query_params: Annotated[list[NamedMatch], Field(max_length=16)] = []
    method: (
        Literal["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"]
        | None
    ) = None


class HTTPHeader(Model):
    name: HeaderName
    value: Annotated[HeaderValue, Field(min_length=1, max_length=4096)]


class HTTPHeaderFilter(Model):
    set: Annotated[list[HTTPHeader], Field(max_length=16)] = []
    add: Annotated[list[HTTPHeader], Field(max_length=16)] = []
    remove: Annotated[list[HeaderName], Field(max_length=16)] = []


class BackendObjectReference(Model):
    group: str = ""
    kind: str = "Service"
    name: Name
    namespace: Line | None = None
    port: Port | None = None

    @model_validator(mode="after")
    def _service_port(self) -> Self:
        if self.what == SERVICE and self.port is None:
            raise FieldError("is missing; wanted the Service's port", "port")
        if self.what == SERVICE and "." in self.name:
            raise FieldError(f"{self.name} is a host; wanted the name of the Service", "name")
        return self

    @property
    def what(self) -> tuple[str, str]:
        return (self.group, self.kind)


class Fraction(Model):
    numerator: Annotated[int, Field(ge=0)]
    denominator: Annotated[int, Field(ge=1)] = 100

    @model_validator(mode="after")
    def _at_most_one(self) -> Self:
        if self.numerator > self.denominator:
            raise ValueError("is more than 1; wanted numerator at most denominator")
        return self


class HTTPRequestMirrorFilter(Model):
    backend_ref: BackendObjectReference
    percent: Annotated[int, Field(ge=0, le=100)] | None = None
    fraction: Fraction | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.percent is not None and self.fraction is not None:
            raise ValueError("has both percent and fraction; wanted one")
        return self


class HTTPPathModifier(Model):
    type: Literal["ReplaceFullPath", "ReplacePrefixMatch"]
    replace_full_path: Line | None = None
    replace_prefix_match: Line | None = None

    @model_validator(mode="after")
    def _as_type_says(self) -> Self:
        full = self.type == "ReplaceFullPath"
        if (self.replace_full_path is not None) != full or (
            self.replace_prefix_match is not None
        ) == full:
            wanted = "replaceFullPath" if full else "replacePrefixMatch"
            raise ValueError(f"has not the field that type names; wanted {wanted} alone")
        return self


class HTTPRequestRedirectFilter(Model):
    scheme: Literal["http", "https"] | None = None
    hostname: Host | None = None
    path: HTTPPathModifier | None = None
    port: Port | None = None
    status_code: Literal[301, 302, 303, 307, 308] = 302


class HTTPURLRewriteFilter(Model):
    hostname: Host | None = None
    path: HTTPPathModifier | None = None


class HTTPCORSFilter(Model):
    allow_origins: Annotated[list[str], Field(max_length=64)] = []
    allow_credentials: bool = False
    allow_methods: list[str] = []
    allow_headers: list[str] = []
    expose_headers: list[str] = []
    max_age: Annotated[int, Field(ge=1)] = 5
    """Seconds."""


_FILTERS = {
    "RequestHeaderModifier": "request_header_modifier",
    "ResponseHeaderModifier": "response_header_modifier",
    "RequestMirror": "request_mirror",
    "RequestRedirect": "request_redirect",
    "URLRewrite": "url_rewrite",
    "CORS": "cors",
}


class HTTPRouteFilter(Model):
    type: Literal[
        "RequestHeaderModifier",
        "ResponseHeaderModifier",
        "RequestMirror",
        "RequestRedirect",
        "URLRewrite",
        "CORS",
    ]
    request_header_modifier: HTTPHeaderFilter | None = None
    response_header_modifier: HTTPHeaderFilter | None = None
    request_mirror: HTTPRequestMirrorFilter | None = None
    request_redirect: HTTPRequestRedirectFilter | None = None
    url_rewrite: Annotated[HTTPURLRewriteFilter | None, Field(alias="urlRewrite")] = None
    cors: HTTPCORSFilter | None = None

    @model_validator(mode="after")
    def _as_type_says(self) -> Self:
        given = {t for t, field in _FILTERS.items() if getattr(self, field) is not None}
        if given != {self.type}:
            field = type(self).model_fields[_FILTERS[self.type]].alias
            raise ValueError(f"has not the field that type {self.type} names; wanted {field} alone")
        return self


class HTTPBackendRef(BackendObjectReference):
    weight: Annotated[int, Field(ge=0, le=1_000_000)] = 1
    filters: Annotated[list[HTTPRouteFilter], Field(max_length=16)] = []

    @model_validator(mode="after")
    def _headers_only(self) -> Self:
        for index, entry in enumerate(self.filters):
            if entry.type not in ("RequestHeaderModifier", "ResponseHeaderModifier"):
                raise FieldError(
                    f"{entry.type} is a filter that Istio does not take at a backend; "
                    "wanted RequestHeaderModifier or ResponseHeaderModifier",
                    "filters",
                    index,
                    "type",
                )
        return self


class HTTPRouteTimeouts(Model):
    request: Duration | None = None
    backend_request: Duration | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.request and self.backend_request and self.backend_request > self.request:
            raise FieldError("is more than request; wanted at most that", "backendRequest")
        return self


class HTTPRouteRetry(Model):
    codes: list[Annotated[int, Field(ge=400, le=599)]] = []
    attempts: Annotated[int, Field(ge=0)] | None = None
    backoff: Duration | None = None


class HTTPRouteRule(Model):
    name: Name | None = None
    matches: Annotated[list[HTTPRouteMatch], Field(max_length=64)] = [HTTPRouteMatch()]
    filters: Annotated[list[HTTPRouteFilter], Field(max_length=16)] = []
    backend_refs: Annotated[list[HTTPBackendRef], Field(max_length=16)] = []
    timeouts: HTTPRouteTimeouts | None = None
    retry: HTTPRouteRetry | None = None

    @model_validator(mode="after")
    def _filters_fit(self) -> Self:
        kinds = [f.type for f in self.filters]
        twice = {k for k in kinds if kinds.count(k) > 1 and k != "RequestMirror"}
        if twice:
            raise FieldError(f"have {', '.join(sorted(twice))} twice; wanted one", "filters")
        if "RequestRedirect" in kinds and "URLRewrite" in kinds:
            raise FieldError("have RequestRedirect and URLRewrite; wanted one of them", "filters")
        if "RequestRedirect" in kinds and self.backend_refs:
            raise FieldError("stand beside a RequestRedirect filter; wanted none", "backendRefs")
        if self._replaces_prefix() and [m.path.type for m in self.matches] != ["PathPrefix"]:
            raise FieldError(
                "are not one PathPrefix, which replacePrefixMatch needs; wanted one", "matches"
            )
        return self

    def _replaces_prefix(self) -> bool:
        parts = [f.request_redirect or f.url_rewrite for f in self.filters]
        return any(p and p.path and p.path.type == "ReplacePrefixMatch" for p in parts)


class HTTPRouteSpec(Model):
    parent_refs: Annotated[list[ParentReference], Field(min_length=1, max_length=32)]
    hostnames: list[str] = []
    """Without meaning for mesh parents, as the API and Istio have it."""
    rules: Annotated[list[HTTPRouteRule], Field(max_length=16)] = [HTTPRouteRule()]


def _check_regex(text: str) -> None:
    problem = regex_problem(text)
    if problem:
        raise FieldError(problem, "value")
