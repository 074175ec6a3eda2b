"""gateway.networking.k8s.io/v1 GRPCRoute: what is honoured."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from meshproof.model.base_model import FieldError, Model
from meshproof.model.http_route import HTTPBackendRef, NamedMatch
from meshproof.model.http_route_filters import HTTPRouteFilter
from meshproof.model.http_route_references import Name, ParentReference
from meshproof.model.regex import regex_problem
from meshproof.model.string_types import Host, NonEmpty

_FILTERS = ("RequestHeaderModifier", "ResponseHeaderModifier", "RequestMirror")


class GRPCMethodMatch(Model):
    type: Literal["Exact", "RegularExpression"] = "Exact"
    service: NonEmpty | None = None
    method: NonEmpty | None = None

    @model_validator(mode="after")
    def _named(self) -> Self:
        if not self.service and not self.method:
            raise ValueError("has neither service nor method; wanted one or both")
        for field in ("service", "method"):
            text = getattr(self, field)
            if self.type == "RegularExpression" and text and (problem := regex_problem(text)):
                raise FieldError(problem, field)
        return self


class GRPCRouteMatch(Model):
    method: GRPCMethodMatch | None = None
    headers: Annotated[list[NamedMatch], Field(max_length=16)] = []


class GRPCRouteRule(Model):
    name: Name | None = None
    matches: Annotated[list[GRPCRouteMatch], Field(max_length=64)] = []
    filters: Annotated[list[HTTPRouteFilter], Field(max_length=16)] = []
    backend_refs: Annotated[list[HTTPBackendRef], Field(max_length=16)] = []

    @model_validator(mode="after")
    def _known_filters(self) -> Self:
        for index, entry in enumerate(self.filters):
            if entry.type not in _FILTERS:
                message = f"is {entry.type}, which a GRPCRoute does not have"
                expected = f"wanted one of {', '.join(_FILTERS)}"
                raise FieldError(f"{message}; {expected}", "filters", index, "type")
        return self


class GRPCRouteSpec(Model):
    parent_refs: Annotated[list[ParentReference], Field(min_length=1, max_length=32)]
    hostnames: Annotated[list[Host], Field(max_length=16)] = []
    rules: Annotated[list[GRPCRouteRule], Field(max_length=16)] = [GRPCRouteRule()]
