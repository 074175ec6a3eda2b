"""telemetry.istio.io/v1 (v1alpha1 has the same fields): sampling, spans and the access log.

``metrics`` are refused by name.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from meshproof.model.base_model import FieldError, Model, PartlyHonoured
from meshproof.model.workload_selector import WorkloadPolicy

Traffic = Literal["CLIENT_AND_SERVER", "CLIENT", "SERVER"]


class LiteralTag(Model):
    value: Annotated[str, Field(min_length=1)]


class HeaderTag(Model):
    name: Annotated[str, Field(min_length=1)]
    default_value: str | None = None


class CustomTag(Model):
    literal: LiteralTag | None = None
    header: HeaderTag | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.literal is None) == (self.header is None):
            none = self.literal is None
            raise FieldError("wanted one of literal, header", unsupported=none)
        return self


class TracingSelector(Model):
    mode: Traffic = "CLIENT_AND_SERVER"


class TracingProvider(Model):
    """Spans go to the mesh's one collector, whatever the name."""

    name: Annotated[str, Field(min_length=1)]


class Tracing(Model):
    match: TracingSelector = TracingSelector()
    providers: Annotated[list[TracingProvider], Field(max_length=1), PartlyHonoured()] = []
    random_sampling_percentage: Annotated[float, Field(ge=0, le=100)] | None = None
    disable_span_reporting: bool | None = None
    custom_tags: dict[str, CustomTag] = {}


class LogProvider(Model):
    name: Annotated[Literal["envoy"], PartlyHonoured()]


class LogFilter(Model):
    expression: Annotated[str, Field(min_length=1)]
    """A CEL expression over Envoy's attributes, such as ``response.code >= 400``."""


class AccessLogging(Model):
    match: TracingSelector = TracingSelector()
    providers: Annotated[list[LogProvider], Field(max_length=1), PartlyHonoured()] = []
    disabled: bool | None = None
    filter: LogFilter | None = None


class Telemetry(WorkloadPolicy):
    tracing: list[Tracing] = []
    access_logging: list[AccessLogging] = []
