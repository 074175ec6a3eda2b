"""gateway.networking.k8s.io/v1 HTTPRoute with Services as parents (GAMMA): what is honoured.

Defaults are those of the API's own CRD (path prefix ``/``, weight 1, status 302). A field that no
model lists is refused by name, and so is what a Kubernetes API server would refuse by the CRD's
validation rules. ``hostnames`` have no effect in a mesh: the host is the parent's (Istio,
pilot/pkg/config/kube/gateway/route_collections.go).
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, PlainSerializer, model_validator

from meshproof.model.base_model import FieldError, Model
from meshproof.model.durations import format_duration, parse_duration
from meshproof.model.http_route_filters import HeaderName, HTTPRouteFilter
from meshproof.model.http_route_references import BackendObjectReference, Name, ParentReference
from meshproof.model.regex import regex_problem

_DURATION = re.compile(r"([0-9]{1,5}(h|m|s|ms)){1,4}")
_EXPECTED = "whole numbers with h, m, s or ms, such as 500ms or 1m30s"


def _check_duration(value: Any) -> float:
    if isinstance(value, float):
        return value
    if not isinstance(value, str) or not _DURATION.fullmatch(value):
        raise ValueError(f'"{value}" is not a duration of the Gateway API; wanted {_EXPECTED}')
    return parse_duration(value)


Duration = Annotated[
    float,
    BeforeValidator(_check_duration),
    PlainSerializer(format_duration, return_type=str, when_used="json"),
]
"""In seconds; GEP-2257's format, a subset of Go's."""


class HTTPPathMatch(Model):
    type: Literal["Exact", "PathPrefix", "RegularExpression"] = "PathPrefix"
    value: Annotated[str, Field(max_length=1024)] = "/"

    @model_validator(mode="after")
    def _absolute(self) -> Self:
        if self.type == "RegularExpression":
            _check_regex(self.value)
        elif not self.value.startswith("/"):
            raise FieldError(f'"{self.value}" is not an absolute path; wanted one from /', "value")
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
    """Fields are ANDed, the entries of the list ORed. Of one name the first entry counts."""

    path: HTTPPathMatch = HTTPPathMatch.empty()
    headers: Annotated[list[NamedMatch], Field(max_length=16)] = []
    query_params: Annotated[list[NamedMatch], Field(max_length=16)] = []
    method: (
        Literal["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"]
        | None
    ) = None


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
            raise FieldError(
                "cannot be combined with a RequestRedirect filter; wanted none", "backendRefs"
            )
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
    """Has no effect for mesh parents, as in the API and in Istio."""
    rules: Annotated[list[HTTPRouteRule], Field(max_length=16)] = [HTTPRouteRule()]


def _check_regex(text: str) -> None:
    problem = regex_problem(text)
    if problem:
        raise FieldError(problem, "value")
