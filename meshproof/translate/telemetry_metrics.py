"""Metrics of Telemetry resources: which are counted, and with which tags.

Istio: mergeMetrics in pilot/pkg/model/telemetry.go. Later entries win over earlier ones, metric by
metric and tag by tag. Where the providers in force are none of Prometheus, nothing is counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from meshproof.model.telemetry import Metrics, MetricsOverrides

Side = Literal["CLIENT", "SERVER"]
PROMETHEUS = "prometheus"
_NAMES: Mapping[str, str] = {
    "REQUEST_COUNT": "requests_total",
    "REQUEST_DURATION": "request_duration_milliseconds",
    "REQUEST_SIZE": "request_bytes",
    "RESPONSE_SIZE": "response_bytes",
    "TCP_OPENED_CONNECTIONS": "tcp_connections_opened_total",
    "TCP_CLOSED_CONNECTIONS": "tcp_connections_closed_total",
    "TCP_SENT_BYTES": "tcp_sent_bytes_total",
    "TCP_RECEIVED_BYTES": "tcp_received_bytes_total",
    "GRPC_REQUEST_MESSAGES": "request_messages_total",
    "GRPC_RESPONSE_MESSAGES": "response_messages_total",
}
"""Names in Prometheus; a ``customMetric`` is written by that name."""


@dataclass(frozen=True, slots=True)
class MetricOverride:
    """``tags`` are CEL expressions by tag; None for a tag that is left out."""

    disabled: bool = False
    tags: Mapping[str, str | None] = field(default_factory=dict)


NO_OVERRIDE: Final = MetricOverride()


@dataclass(frozen=True, slots=True)
class MetricSettings:
    """Of one side of a proxy; ``overrides`` are by the metric's name in Prometheus."""

    disabled: bool = False
    overrides: Mapping[str, MetricOverride] = field(default_factory=dict)

    def of(self, name: str) -> MetricOverride:
        return self.overrides.get(name, NO_OVERRIDE)


ALL_METRICS: Final = MetricSettings()
_DISABLED: Final = MetricSettings(disabled=True)


def merge_metrics(
    entries: Iterable[Metrics], defaults: Iterable[str], prometheus: Iterable[str], side: Side
) -> MetricSettings:
    """The settings of ``entries``, outer scopes first. ``defaults`` are MeshConfig's default
    providers, ``prometheus`` the names of those that are Prometheus."""
    entries, providers = list(entries), list(defaults)
    for entry in entries:
        providers = [p.name for p in entry.providers] or providers
    in_force = set(providers) & set(prometheus)
    if not in_force:
        return _DISABLED
    settings, inherited = ALL_METRICS, list(defaults)
    for entry in entries:
        inherited = [p.name for p in entry.providers] or inherited
        if in_force & set(inherited):
            for override in entry.overrides:
                if override.match.mode in (side, "CLIENT_AND_SERVER"):
                    settings = _apply(settings, override)
    return settings


def _apply(settings: MetricSettings, entry: MetricsOverrides) -> MetricSettings:
    match = entry.match
    every = match.custom_metric is None and match.metric in (None, "ALL_METRICS")
    if every and entry.disabled:
        return MetricSettings(disabled=True, overrides=settings.overrides)
    overrides = dict(settings.overrides)
    for name in _matches(entry):
        overrides[name] = _merge(settings.of(name), entry)
    return MetricSettings(overrides=overrides)


def _matches(entry: MetricsOverrides) -> Iterator[str]:
    match = entry.match
    if match.custom_metric is not None:
        yield match.custom_metric
    elif match.metric in (None, "ALL_METRICS"):
        yield from _NAMES.values()
    else:
        yield _NAMES[match.metric or ""]


def _merge(override: MetricOverride, entry: MetricsOverrides) -> MetricOverride:
    tags = {
        name: None if tag.operation == "REMOVE" else tag.value
        for name, tag in entry.tag_overrides.items()
    }
    disabled = override.disabled if entry.disabled is None else entry.disabled
    return MetricOverride(disabled, {**override.tags, **tags})
