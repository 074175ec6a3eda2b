"""telemetry.istio.io/v1 (v1alpha1 has the same fields): spans, metrics and access logs.

Refused as by the CRD's schema and Istio's validation.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from meshproof.model.base_model import FieldError, Model
from meshproof.model.durations import Duration
from meshproof.model.workload_selector import WorkloadPolicy

Traffic = Literal["CLIENT_AND_SERVER", "CLIENT", "SERVER"]
NonEmpty = Annotated[str, Field(min_length=1)]


class LiteralTag(Model):
    value: NonEmpty


class HeaderTag(Model):
    name: NonEmpty
    default_value: str | None = None


class EnvironmentTag(Model):
    """A variable of the sidecar's own environment."""

    name: NonEmpty
    default_value: str | None = None


class FormatterTag(Model):
    value: NonEmpty


class CustomTag(Model):
    """One of the four; an empty one is no tag."""

    literal: LiteralTag | None = None
    environment: EnvironmentTag | None = None
    header: HeaderTag | None = None
    formatter: FormatterTag | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len(self.model_fields_set) > 1:
            raise ValueError("wanted one of literal, environment, header, formatter")
        return self


class Match(Model):
    mode: Traffic = "CLIENT_AND_SERVER"


class ProviderRef(Model):
    """One of MeshConfig's ``extensionProviders``."""

    name: NonEmpty


class Tracing(Model):
    """Of several providers the first one counts, as in Istio."""

    match: Match = Match.empty()
    providers: list[ProviderRef] = []
    random_sampling_percentage: Annotated[float, Field(ge=0, le=100)] | None = None
    disable_span_reporting: bool | None = None
    custom_tags: dict[str, CustomTag] = {}
    use_request_id_for_trace_sampling: bool | None = None
    enable_istio_tags: bool | None = None


class LogFilter(Model):
    expression: NonEmpty
    """A CEL expression over Envoy's attributes, such as ``response.code >= 400``."""


class AccessLogging(Model):
    match: Match = Match.empty()
    providers: list[ProviderRef] = []
    disabled: bool | None = None
    filter: LogFilter | None = None


class MetricSelector(Match):
    """Without ``metric`` and ``customMetric`` it is for all metrics."""

    metric: (
        Literal[
            "ALL_METRICS",
            "REQUEST_COUNT",
            "REQUEST_DURATION",
            "REQUEST_SIZE",
            "RESPONSE_SIZE",
            "TCP_OPENED_CONNECTIONS",
            "TCP_CLOSED_CONNECTIONS",
            "TCP_SENT_BYTES",
            "TCP_RECEIVED_BYTES",
            "GRPC_REQUEST_MESSAGES",
            "GRPC_RESPONSE_MESSAGES",
        ]
        | None
    ) = None
    custom_metric: NonEmpty | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.metric is not None and self.custom_metric is not None:
            raise ValueError("has both metric and customMetric; wanted one of them")
        return self


class TagOverride(Model):
    operation: Literal["UPSERT", "REMOVE"] = "UPSERT"
    value: str = ""
    """A CEL expression, for UPSERT."""

    @model_validator(mode="after")
    def _value(self) -> Self:
        if self.operation == "UPSERT" and not self.value:
            raise ValueError("is UPSERT without a value; wanted a CEL expression")
        if self.operation == "REMOVE" and "value" in self.model_fields_set:
            raise FieldError("is for the operation UPSERT, and this one is REMOVE", "value")
        return self


class MetricsOverrides(Model):
    match: MetricSelector = MetricSelector.empty()
    disabled: bool | None = None
    tag_overrides: dict[str, TagOverride] = {}


class Metrics(Model):
    providers: list[ProviderRef] = []
    overrides: list[MetricsOverrides] = []
    reporting_interval: Annotated[Duration, Field(ge=0.001)] | None = None
    """How often the bytes of an open TCP connection are reported; here at its end."""


class Telemetry(WorkloadPolicy):
    tracing: list[Tracing] = []
    metrics: list[Metrics] = []
    access_logging: list[AccessLogging] = []
