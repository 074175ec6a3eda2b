"""Filters of an HTTPRoute: headers, mirrors, redirects, rewrites, CORS."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from meshproof.model.base_model import Model
from meshproof.model.field_types import Port
from meshproof.model.http_route_references import BackendObjectReference
from meshproof.model.string_types import HeaderValue, Host, Line

_HEADER = r"[A-Za-z0-9!#$%&'*+\-.^_`|~]+"
HeaderName = Annotated[str, Field(min_length=1, max_length=256, pattern=f"^{_HEADER}$")]


class HTTPHeader(Model):
    name: HeaderName
    value: Annotated[HeaderValue, Field(min_length=1, max_length=4096)]


class HTTPHeaderFilter(Model):
    set: Annotated[list[HTTPHeader], Field(max_length=16)] = []
    add: Annotated[list[HTTPHeader], Field(max_length=16)] = []
    remove: Annotated[list[HeaderName], Field(max_length=16)] = []


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
            expected = "replaceFullPath" if full else "replacePrefixMatch"
            raise ValueError(
                f"lacks the field of its type, or has another; wanted {expected} alone"
            )
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
    """In seconds."""


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
        present = {t for t, field in _FILTERS.items() if getattr(self, field) is not None}
        if present != {self.type}:
            field = type(self).model_fields[_FILTERS[self.type]].alias
            raise ValueError(
                f"lacks the field of type {self.type}, or has another; wanted {field} alone"
            )
        return self
